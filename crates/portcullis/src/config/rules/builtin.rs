//! The rules that come with the program, as they stand in `rules/`.

macro_rules! files {
    ($($name:literal)+) => {
        /// Each file with its name.
        pub(super) const FILES: &[(&str, &str)] = &[
            $((
                concat!("rules/", $name),
                include_str!(concat!("../../../../../rules/", $name)),
            ),)+
        ];
    };
}

files! {
    "injection/to-csms.toml"
    "injection/to-station.toml"
    "keys/backend.toml"
    "keys/secret.toml"
    "patches/stations.toml"
}
