//! What is wrong with a configuration is told at its line, all of it, with a remedy.

mod limits;

use std::path::Path;

use guard::Mode;
use ocpp::Limits;

use toml::de::DeTable;

use super::source::Source;
use super::{ADMIN_ADDRESS, Config, EXAMPLE, RouteCredential};

/// The smallest configuration that is right, to put one mistake into.
const SMALL: &str = r#"[[listener]]
address = "127.0.0.1:0"
certificates = [{ chain = "a.pem", key = "a.key" }]
[[route]]
id = "main"
path = "/ocpp/{identity}"
upstream = "ws://csms"
"#;

fn read(text: &str) -> Result<Config, Vec<crate::Problem>> {
    Config::read("portcullis.toml", text, Path::new("/etc/portcullis"))
}

/// The lines, and what is said of each.
fn problems(text: &str) -> Vec<(usize, String)> {
    let problems = read(text).err().unwrap_or_default();
    for problem in &problems {
        assert!(!problem.remedy.is_empty(), "{problem} has no remedy");
        assert_eq!(problem.file.as_deref(), Some("portcullis.toml"));
    }
    problems
        .into_iter()
        .map(|problem| (problem.line.unwrap_or(0), problem.what))
        .collect()
}

#[test]
fn the_example_is_right_and_shows_every_default() {
    let as_written = read(EXAMPLE).unwrap();
    // With every comment that shows a default turned into a line, the gate is the same.
    let switched_on: String = EXAMPLE
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            Some(rest) if rest.contains(" = ") && !rest.contains(". ") && is_default(rest) => rest,
            _ => line,
        })
        .collect::<Vec<_>>()
        .join("\n");
    let all_written = read(&switched_on).unwrap();
    assert_eq!(
        format!("{:?} {:?}", as_written.limits, as_written.session),
        format!("{:?} {:?}", all_written.limits, all_written.session)
    );
    assert_eq!(as_written.attempts, all_written.attempts);
    assert_eq!(as_written.policy.controls, all_written.policy.controls);
    assert_eq!(as_written.policy.times, all_written.policy.times);
    assert_eq!(
        as_written.policy.call_timeout,
        all_written.policy.call_timeout
    );
    assert_eq!(as_written.admin.value, all_written.admin.value);
    assert_eq!(as_written.log, all_written.log);
    assert_eq!(as_written.events_queued_max, all_written.events_queued_max);
    assert_eq!(as_written.disk_free_min_mb, all_written.disk_free_min_mb);
    assert!(switched_on.matches("\n# ").count() < EXAMPLE.matches("\n# ").count() - 25);
}

/// Lines of the example that show something else than a default.
fn is_default(line: &str) -> bool {
    let key = line.split(" = ").next().unwrap_or_default();
    let other = [
        "client_ca",
        "organization",
        "client_crl",
        "address = \"10.",
        "plain",
        "trusted_network",
        "password_file",
        "ca",
        "client_certificate",
        "bind",
        "certificate_header",
        "proxy_protocol_from",
        "exempt_sources",
        "identities",
        "allow",
        "directory",
        "off",
    ];
    key.chars().all(|c| c.is_ascii_lowercase() || c == '_')
        && !other.contains(&key)
        && !line.starts_with("address = \"10.")
}

#[test]
fn every_setting_stands_in_the_example_and_in_the_reference() {
    let reference = include_str!("../../../../docs/reference/configuration.md");
    let source = Source::new("portcullis.toml", SMALL);
    let document = DeTable::parse(SMALL).unwrap();
    super::sections(&source, document.get_ref(), Path::new(""));
    let asked = source.asked();
    assert!(
        asked.len() > 50,
        "only {} settings were asked for",
        asked.len()
    );
    for (section, key) in asked {
        assert!(
            EXAMPLE.contains(key),
            "the example does not show `{key}` of {section}"
        );
        let head = if section.is_empty() {
            format!("[{key}]")
        } else {
            section
        };
        let (_, rest) = reference
            .split_once(&format!("## `{head}`"))
            .unwrap_or_else(|| {
                let (_, rest) = reference
                    .split_once(&format!("## `[{head}]`"))
                    .expect(&head);
                ("", rest)
            });
        let chapter = rest.split("\n## ").next().unwrap_or_default();
        let told = chapter.contains(&format!("`{key}`")) || head.contains(key);
        assert!(told, "the reference does not tell of `{key}` under {head}");
    }
}

#[test]
fn what_is_not_written_has_its_default() {
    let config = read(SMALL).unwrap();
    assert_eq!(config.admin.value, ADMIN_ADDRESS);
    assert_eq!(
        config.store.value,
        Path::new("/etc/portcullis/portcullis.db")
    );
    let rules = super::RuleSources::default().without_files().unwrap();
    assert!(rules.texts().ids().count() > 10);
    let usual = guard::Policy {
        rules,
        ..guard::Policy::default()
    };
    assert_eq!(config.policy, usual);
    assert_eq!(config.routes[0].upstream.value, "ws://csms");
    assert!(matches!(
        config.routes[0].credential,
        RouteCredential::Forward
    ));
    assert_eq!(config.listeners[0].certificates[0].key.line, 3);
}

#[test]
fn records_gather_for_less_where_messages_wait_for_them() {
    let of = |more: &str| {
        let config = read(&format!("{SMALL}[journal]\n{more}")).unwrap();
        let journal = config.journal.unwrap();
        let millis = |duration: std::time::Duration| duration.as_millis();
        (millis(journal.commit), journal.wait.map(millis))
    };
    assert_eq!(of(""), (100, None));
    assert_eq!(of("wait_patience_ms = 300"), (100, None), "nobody waits");
    assert_eq!(of("wait_for_disk = true"), (2, Some(2000)));
    let both = "wait_for_disk = true\ncommit_ms = 1\nwait_patience_ms = 300";
    assert_eq!(of(both), (1, Some(300)));
}

#[test]
fn what_is_written_is_read() {
    let text = format!(
        "{SMALL}credential = \"fixed\"\npassword_file = \"p\"\nbind = [\"127.0.0.2\", \"::1\"]\n\
         compression = \"offer\"\n\
         [session]\ncompression = \"off\"\nmessage_deadline_seconds = 7\n\
         [controls]\nschema = \"enforce\"\ncall_timeout_seconds = 0x1e\n\
         [messages.action_bytes_max]\nBootNotification = 2_048\nSendLocalList = 4096\n"
    );
    let config = read(&text).unwrap();
    assert_eq!(config.policy.controls.schema, Mode::Enforce);
    assert_eq!(config.policy.call_timeout.as_secs(), 30);
    let caps = &config.policy.limits.action_bytes_max;
    assert!(caps.contains(&("BootNotification".to_owned(), 2048)));
    assert!(caps.contains(&("SendLocalList".to_owned(), 4096)));
    assert_eq!(caps.len(), Limits::default().action_bytes_max.len() + 1);
    assert_eq!(config.routes[0].bind.len(), 2);
    assert!(config.routes[0].compression);
    assert!(!config.session.compression);
    assert_eq!(config.session.message_deadline.as_secs(), 7);
}

#[test]
fn a_model_may_have_caps_of_its_own() {
    let text = format!(
        "{SMALL}[messages]\nbytes_max = 2048\nlist_items_max = 7\n\
         [[messages.exception]]\nmaker = \"Maker AG\"\nmodel = \"Wall Box*\"\nbytes_max = 4096\n\
         action_bytes_max = {{ BootNotification = 8192 }}\n"
    );
    let policy = read(&text).unwrap().policy;
    let [exception] = policy.limits_exceptions.as_slice() else {
        panic!("one exception");
    };
    assert_eq!(
        (exception.maker.as_str(), exception.model.as_str()),
        ("Maker AG", "Wall Box*")
    );
    assert_eq!(
        (
            policy.limits.message_bytes_max,
            exception.limits.message_bytes_max
        ),
        (2048, 4096)
    );
    assert_eq!(
        exception.limits.list_items_max, 7,
        "what it does not set is as for everyone"
    );
    let boot = ("BootNotification".to_owned(), 8192);
    assert!(exception.limits.action_bytes_max.contains(&boot));
    assert!(!policy.limits.action_bytes_max.contains(&boot));
}

#[test]
fn each_mistake_is_told_at_its_line() {
    // What stands in place of which line of SMALL (or after it, from 8), and what is said.
    let cases: &[(usize, &str, &str)] = &[
        (
            2,
            "adress = \"127.0.0.1:0\"",
            "[[listener]] has no setting `adress`",
        ),
        (2, "address = \"localhost\"", "no address with a port"),
        (2, "address = 8443", "`address` is an integer"),
        (2, "address = \"\"", "`address` is empty"),
        (3, "certificates = [{ chain = \"a.pem\" }]", "needs `key`"),
        (
            3,
            "certificates = [{ chain = \"a.pem\", key = \"k\", x = 1 }]",
            "no setting `x`",
        ),
        (3, "certificates = \"a.pem\"", "`certificates` is a string"),
        (5, "id = \"a b\"", "cannot be a name"),
        (6, "path = \"/ocpp\"", "does not end in /{identity}"),
        (
            6,
            "path = \"/a/{identity}/{identity}\"",
            "only the last segment",
        ),
        (6, "path = \"/a//{identity}\"", "empty segment"),
        (6, "path = \"/a/../{identity}\"", "are no segments"),
        (
            7,
            "upstream = \"https://csms\"",
            "must begin with ws:// or wss://",
        ),
        (7, "upstream = \"ws://u:p@csms\"", "user name or password"),
        (8, "credential = \"foward\"", "`credential` is \"foward\""),
        (8, "password_file = \"x\"", "only for credential"),
        (8, "bind = [\"127.0.0.1\", \"lo\"]", "\"lo\" in `bind`"),
        (
            8,
            "certificate_header = \"X Cert\"",
            "cannot be the name of a header",
        ),
        (
            4,
            "proxy_protocol_from = [\"10.0.0.1/8\"]\n[[route]]",
            "\"10.0.0.1/8\" in `proxy_protocol_from` is no network",
        ),
        (8, "[contrls]", "there is no section `contrls`"),
        (8, "controls = 1", "has no setting `controls`"),
    ];
    for (line, written, said) in cases {
        let mut lines: Vec<&str> = SMALL.lines().collect();
        lines.truncate(if *line <= lines.len() {
            lines.len()
        } else {
            *line - 1
        });
        if *line <= lines.len() {
            lines[line - 1] = written;
        } else {
            lines.push(written);
        }
        let told = problems(&lines.join("\n"));
        let found = told
            .iter()
            .any(|(at, what)| at == line && what.contains(said));
        assert!(found, "{written}: {told:?}");
    }
}

#[test]
fn each_mistake_of_a_section_is_told_at_its_line() {
    let cases: &[(&str, &str)] = &[
        ("[controls]\nschema = \"on\"", "`schema` is \"on\""),
        ("[controls]\nschema = true", "`schema` is a boolean"),
        (
            "[controls]\nunreadable = \"drop\"",
            "`unreadable` is \"drop\"",
        ),
        (
            "[controls]\ncall_timeout_seconds = 0",
            "`call_timeout_seconds` is 0",
        ),
        ("[session]\nping_after_seconds = 1.5", "is a float"),
        (
            "[session]\nidle_after_seconds = -1",
            "`idle_after_seconds` is -1",
        ),
        (
            "[limits]\nconnections_max = 99999999999999999999",
            "is 99999999999999999999",
        ),
        (
            "[limits]\nconections_max = 5",
            "no setting `conections_max`",
        ),
        ("[messages]\nbytes_max = 2000000", "`bytes_max` is 2000000"),
        (
            "[messages.action_bytes_max]\nSendLocalLists = 2048",
            "no version of OCPP has",
        ),
        (
            "[admin]\naddress = \"0.0.0.0:9180\"",
            "asks for no password",
        ),
        ("[log]\nformat = \"xml\"", "`format` is \"xml\""),
        (
            "[attempts]\npair_failures_max = 0",
            "`pair_failures_max` is 0",
        ),
        (
            "[canaries]\nidentities = [\"CP/1\"]",
            "\"CP/1\" cannot be an identity",
        ),
        (
            "[session]\ncompression = \"offer\"",
            "`compression` is \"offer\"",
        ),
        (
            "[session]\nmessage_deadline_seconds = 0",
            "`message_deadline_seconds` is 0",
        ),
        ("[store]\npath = 7", "`path` is an integer"),
    ];
    for (written, said) in cases {
        let told = problems(&format!("{SMALL}{written}\n"));
        assert_eq!(told.len(), 1, "{written}: {told:?}");
        assert_eq!(told[0].0, 9, "{written}: {told:?}");
        assert!(told[0].1.contains(said), "{written}: {told:?}");
    }
}

#[test]
fn what_is_asked_of_station_certificates_needs_a_client_ca() {
    let with = |more: &str| SMALL.replace("[[route]]", &format!("{more}\n[[route]]"));
    for written in ["organization = \"CPO\"", "client_crl = [\"crl.pem\"]"] {
        let told = problems(&with(written));
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!(told[0].0, 4, "{told:?}");
        assert!(told[0].1.contains("asks for none"), "{told:?}");
        let right = with(&format!("client_ca = \"ca.pem\"\n{written}"));
        assert_eq!(problems(&right), []);
    }
    let told = problems(&with("crl_stale = \"ignore\"\ncrl_grace_hours = 9000"));
    assert_eq!(told.len(), 2, "{told:?}");
}

#[test]
fn sections_that_lack_something_are_told_at_their_head() {
    let told = problems("[[listener]]\naddress = \"127.0.0.1:1\"\n\n[[route]]\nid = \"main\"\n");
    assert_eq!(
        told,
        [
            (1, "this listener has no certificate to show".to_owned()),
            (4, "[[route]] needs `path`".to_owned()),
            (4, "[[route]] needs `upstream`".to_owned()),
        ]
    );
    assert_eq!(problems("").len(), 2);
    let plain = "[[listener]]\naddress = \"127.0.0.1:1\"\nplain = true\n";
    let told =
        problems(&SMALL.replace(&SMALL.lines().take(3).collect::<Vec<_>>().join("\n"), plain));
    assert!(told[0].1.contains("clear text"), "{told:?}");
}

#[test]
fn a_takeover_has_time_for_both_its_halves() {
    let written = |seconds| format!("{SMALL}[limits]\ntakeover_deadline_seconds = {seconds}\n");
    assert_eq!(problems(&written(10)), []);
    let what = "a dead connection could not be taken over within takeover_deadline_seconds";
    assert_eq!(problems(&written(9)), [(8, what.to_owned())]);
}

#[test]
fn what_stands_twice_is_told_at_the_second_place() {
    let route = SMALL.split_once("[[route]]").map(|(_, rest)| rest).unwrap();
    let told = problems(&format!("{SMALL}[[route]]{route}"));
    assert_eq!(
        told,
        [
            (9, "the route of line 5 has this id already".to_owned()),
            (10, "the route of line 6 has this path already".to_owned()),
        ]
    );
}

#[test]
fn broken_toml_is_told_at_its_line_and_nothing_is_said_to_be_missing() {
    for (text, line) in [
        ("[[listener]]\naddress = 127.0.0.1:1\n", 2),
        ("[[listener]\n", 1),
        ("a = 1\n\n\na = 2\n", 4),
        ("a = \"open\nb = 1", 1),
        ("\u{0}", 1),
    ] {
        let told = problems(text);
        assert!(
            told.iter().all(|(_, what)| what.contains("not TOML")),
            "{text:?}: {told:?}"
        );
        assert_eq!(
            told.first().map(|first| first.0),
            Some(line),
            "{text:?}: {told:?}"
        );
    }
}

#[test]
fn all_mistakes_are_told_at_once_from_the_top() {
    let text = "[[listener]]\nadress = \"x\"\n[[route]]\nid = \"a b\"\n[log]\nlevel = \"loud\"\n";
    let lines: Vec<usize> = problems(text).iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [1, 1, 2, 3, 3, 4, 6]);
}

proptest::proptest! {
    /// Whatever is in the file, it is read or refused, with lines that the file has.
    #[test]
    fn no_text_is_too_strange(
        cut in 0..EXAMPLE.len(),
        length in 0..400_usize,
        written in "[\\[\\]{}=\"\\.,a-z_0-9 \\n#\\u{0}\\u{fc}-]{0,60}",
    ) {
        let mut text = EXAMPLE.to_owned();
        let floor = |mut at: usize| {
            while !EXAMPLE.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        let end = floor((cut + length).min(EXAMPLE.len()));
        text.replace_range(floor(cut)..end, &written);
        let lines = text.lines().count();
        for problem in read(&text).err().unwrap_or_default() {
            proptest::prop_assert!(problem.line.is_some_and(|line| (1..=lines + 1).contains(&line)));
            proptest::prop_assert!(!problem.what.is_empty() && !problem.remedy.is_empty());
        }
    }
}

#[test]
fn scopes_and_tolerances_are_read_and_say_for_whom() {
    let text = format!(
        "{SMALL}[[scope]]\nmaker = \"Maker AG\"\nmodel = \"*\"\n\
         controls = {{ schema = \"enforce\", direction = \"off\" }}\n\
         [[scope]]\nstations = [\"CP-1\", \"LAB-*\"]\ncontrols = {{ schema = \"observe\" }}\n\
         [[tolerance]]\nstations = \"CP-1\"\ntenant = \"green\"\ncontrol = \"schema\"\n\
         action = \"MeterValues\"\nkind = \"wrong-type\"\n"
    );
    let scopes = read(&text).unwrap().policy.scopes;
    let [model, stations] = scopes.scopes() else {
        panic!("two scopes");
    };
    assert_eq!(
        model.modes,
        [
            (guard::Control::Schema, Mode::Enforce),
            (guard::Control::Direction, Mode::Off)
        ]
    );
    assert!(
        matches!(&stations.who, guard::Who::Stations { tenant, .. } if &*tenant.0 == "default")
    );
    let [tolerance] = scopes.tolerances() else {
        panic!("one tolerance");
    };
    assert_eq!(tolerance.action.as_deref(), Some("MeterValues"));
    assert_eq!(tolerance.path, None);

    for (lines, expected) in [
        (
            "[[scope]]\ncontrols = { schema = \"off\" }",
            "it does not say for whom",
        ),
        (
            "[[scope]]\nmaker = \"*\"\nmodel = \"*\"\ncontrols = { schema = \"off\" }",
            "this names everybody",
        ),
        (
            "[[scope]]\nstations = \"*\"\ncontrols = { schema = \"off\" }",
            "this names everybody",
        ),
        ("[[scope]]\nstations = \"CP-1\"", "changes no control"),
        (
            "[[scope]]\nstations = \"CP-1\"\ncontrols = { shema = \"off\" }",
            "has no setting `shema`",
        ),
        ("[[tolerance]]\nstations = \"CP-1\"", "needs `control`"),
        (
            "[[tolerance]]\nstations = \"CP-1\"\ncontrol = \"scheme\"",
            "there is no control `scheme`",
        ),
        (
            "[[tolerance]]\nstations = \"CP-1\"\ncontrol = \"schema\"\naction = \"Metervalues\"",
            "no version of OCPP has an action `Metervalues`",
        ),
    ] {
        let problems = problems(&format!("{SMALL}{lines}\n"));
        assert!(
            problems.iter().any(|(_, what)| what.contains(expected)),
            "{lines}: {problems:?}"
        );
    }
}

#[test]
fn a_file_may_be_a_credential_of_systemd() {
    let text = format!("[keys]\nfile = \"credential:../portcullis.key\"\n{SMALL}");
    let config = read(&text).unwrap();
    let expected = "/run/credentials/portcullis.service/portcullis.key";
    assert_eq!(config.key_file.value, Path::new(expected));
}

/// An exception that is right, to put one mistake into.
const EXCEPTION: &str = "[[exception]]\nkind = \"tls-open\"\nstations = [\"CP-1\", \"OLD-*\"]\n\
     until = \"2027-03-31\"\nnetworks = [\"10.1.0.0/16\"]\nreason = \"replaced in spring\"\n";

#[test]
fn an_exception_is_read_with_its_last_day() {
    let more = "path_secret_file = \"secret\"\n\
         tls_fingerprints = [\"t13d1516h2_8daaf6152771_02713d6af862\"]\n\
         boot = { maker = \"Maker AG\", serial = \"S-*\" }\n";
    let config = read(&format!("{SMALL}{EXCEPTION}{more}")).unwrap();
    let [exception] = &config.exceptions[..] else {
        panic!("one exception");
    };
    assert_eq!(exception.line, 8);
    assert_eq!(exception.tenant, "default");
    // The first moment of 2027-04-01.
    assert_eq!(exception.ends().0, 1_806_537_600_000);
    let secret = exception.path_secret.as_ref().unwrap();
    assert_eq!(secret.value, Path::new("/etc/portcullis/secret"));
    assert_eq!(exception.tls_fingerprints.len(), 1);
    assert_eq!(exception.boot.as_ref().unwrap().model, None);
    let by_model = EXCEPTION.replace("stations = [\"CP-1\", \"OLD-*\"]", "maker = \"Maker AG\"");
    assert!(read(&format!("{SMALL}{by_model}")).is_ok());
}

#[test]
fn an_exception_that_is_none_is_told_with_its_remedy() {
    let with = |text: &str| problems(&format!("{SMALL}{text}"));
    let network = "networks = [\"10.1.0.0/16\"]";
    let stations = "stations = [\"CP-1\", \"OLD-*\"]\n";
    assert_eq!(with(EXCEPTION), []);
    for (from, to, line, what) in [
        (
            "kind = \"tls-open\"",
            "kind = \"open\"",
            9,
            "`kind` is \"open\"",
        ),
        ("kind = \"tls-open\"\n", "", 8, "needs `kind`"),
        (stations, "", 8, "nobody is named"),
        ("stations", "model = \"x\"\nstations", 8, "not for both"),
        ("2027-03-31", "2027-02-29", 11, "which is no day"),
        ("until = \"2027-03-31\"\n", "", 8, "needs `until`"),
        ("reason = \"replaced in spring\"\n", "", 8, "needs `reason`"),
        (network, "tenant = \"x\"", 8, "asks for nothing at all"),
        (network, "boot = { }", 12, "demands nothing"),
        (network, "boot = { maker = \"*\" }", 12, "demands nothing"),
        (network, "boot = { maker = \"*\" }", 8, "asks for nothing"),
        (network, "networks = [\"0.0.0.0/0\"]", 8, "checks nothing"),
        (
            network,
            "networks = [\"10.0.0.0/8\", \"::/0\"]",
            8,
            "checks nothing",
        ),
        (
            network,
            "tls_fingerprints = [\"t13\"]",
            12,
            "no TLS fingerprint",
        ),
    ] {
        let told = with(&EXCEPTION.replace(from, to));
        let is_told = |(at, said): &(usize, String)| *at == line && said.contains(what);
        assert!(told.iter().any(is_told), "{to}: {told:?}");
    }
    let plain = EXCEPTION.replace("tls-open", "plain");
    let fingerprint = "tls_fingerprints = [\"t13d1516h2_8daaf6152771_02713d6af862\"]\n";
    let told = with(&format!("{plain}{fingerprint}"));
    assert!(told[0].1.contains("clear text"), "{told:?}");
    // A password stands for itself: an exception for it need ask for nothing else.
    let basic = EXCEPTION.replace("tls-open", "plain-basic");
    assert_eq!(with(&basic.replace(network, "tenant = \"x\"")), []);
}

#[test]
fn what_is_looked_for_in_texts_is_read_and_what_is_wrong_is_told() {
    let config = read(&format!(
        "{SMALL}[timestamps]\nfuture_seconds = 60\npast_days = 2\n\
         [backend_urls]\nallow = [\"wss://gate.example/ocpp\"]\n[rules]\noff = [\"html\"]\n"
    ));
    let policy = config.unwrap().policy;
    assert_eq!(policy.times.future.as_secs(), 60);
    assert_eq!(policy.times.past.as_secs(), 2 * 86_400);
    assert_eq!(policy.backends.len(), 1);
    assert!(policy.rules.texts().ids().all(|id| id != "html"));

    let patch = "[[patch]]\nid = \"own\"\nmaker = \"M\"\nmodels = [\"*\"]\nchars_max = 9\n\
                 examples = ['1.6 [2,\"1\",\"ClearCache\",{}]']\n\
                 counter_examples = ['1.6 [2,\"1\",\"ClearCache\",{}]']\n";
    for (more, line, said) in [
        ("[timestamps]\npast_days = 0\n", 9, "`past_days` is 0"),
        ("[timestamps]\npast = 1\n", 9, "has no setting `past`"),
        (
            "[backend_urls]\nallow = [\"gate.example\"]\n",
            9,
            "`allow` holds \"gate.example\"",
        ),
        ("[rules]\noff = [\"htm\"]\n", 9, "there is no rule `htm`"),
        (
            "[controls]\ninjection-up = \"enforce\"\n",
            9,
            "`injection-up` cannot be enforced",
        ),
        (
            "[[scope]]\nstations = [\"A\"]\ncontrols = { injection-up = \"enforce\" }\n",
            10,
            "`injection-up` cannot be enforced",
        ),
        (
            "[[patch]]\nid = \"own\"\nmaker = \"M\"\nchars_max = 9\n",
            8,
            "it names no model",
        ),
        (
            "[[patch]]\nid = \"own\"\nmaker = \"M\"\nmodels = [\"*\"]\n",
            8,
            "how long a text may be",
        ),
        (patch, 8, "rule `own`: it misses its example"),
    ] {
        let told = problems(&format!("{SMALL}{more}"));
        let fits = |(at, what): &(usize, String)| *at == line && what.contains(said);
        assert!(told.iter().any(fits), "{more}: {told:?}");
    }
}
