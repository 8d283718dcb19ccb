//! The controls, by name, and how strictly each is kept. A control is one line of the table below;
//! its field, its name in configuration and metrics, and its default all come from that line.

/// How strictly a control is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mode {
    /// Not looked at.
    Off,
    /// Looked at, counted and told; passes.
    Observe,
    /// Refused.
    Enforce,
}

impl Mode {
    /// Every mode with its name in configuration and reports.
    pub const NAMED: [(&'static str, Mode); 3] = [
        ("off", Mode::Off),
        ("observe", Mode::Observe),
        ("enforce", Mode::Enforce),
    ];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Mode::Off => "off",
            Mode::Observe => "observe",
            Mode::Enforce => "enforce",
        }
    }
}

/// `Variant field "name" Default, docs of the variant, docs of the field;`
macro_rules! controls {
    ($($(#[$of_control:meta])* $control:ident $field:ident $name:literal $default:ident
        [$(#[$of_field:meta])*];)+) => {
        /// The controls, by name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Control {
            $($(#[$of_control])* $control,)+
        }

        impl Control {
            /// Every control.
            pub const ALL: &'static [Control] = &[$(Control::$control,)+];

            /// Its name in configuration, metrics and reports.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Control::$control => $name,)+
                }
            }

            /// How strictly it is kept unless something else is said.
            pub const fn default_mode(self) -> Mode {
                match self {
                    $(Control::$control => Mode::$default,)+
                }
            }
        }

        /// How strictly each control is kept.
        ///
        /// Hard faults are refused in every mode, since two parsers could read such a message
        /// differently.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct Controls {
            $($(#[$of_field])* pub $field: Mode,)+
        }

        impl Default for Controls {
            fn default() -> Controls {
                Controls {
                    $($field: Mode::$default,)+
                }
            }
        }

        impl Controls {
            /// How strictly that control is kept.
            #[inline]
            pub const fn mode(&self, control: Control) -> Mode {
                match control {
                    $(Control::$control => self.$field,)+
                }
            }

            /// Keeps that control as strictly as this.
            pub fn set(&mut self, control: Control, mode: Mode) {
                match control {
                    $(Control::$control => self.$field = mode,)+
                }
            }
        }
    };
}

controls! {
    /// Payloads keep their official schema and our caps (B01, B02, B05, B07).
    Schema schema "schema" Observe [
        /// Payloads keep their schema and our caps. By default observed: many real stations send
        /// messages that break the schema in harmless ways and go on working, and a gate that refuses
        /// them is switched off in its first week. Enforced once the report is clean.
    ];
    /// Each side sends only what is its to send (B11).
    Direction direction "direction" Enforce [
        /// Each side sends only what is its to send. Enforced by default: no honest station sends a
        /// Reset, and no honest CSMS a BootNotification.
    ];
    /// An answer belongs to one open CALL, once; ids are not reused with another body (B08, B09).
    Correlation correlation "correlation" Enforce [
        /// An answer belongs to one open CALL, once, and an id to one body. Enforced by default: an
        /// answer nobody asked for helps only an attacker. `Off` and `Observe` also pass on a
        /// repeated CALL that is still open, since joining it to the first is not observing.
    ];
    /// One open CALL a direction; a queued CALL is refused when its time-out has passed (B13).
    Pipelining pipelining "pipelining" Enforce [
        /// One CALL in flight for each side. Enforced by default, which refuses nobody who is served
        /// in time: a CALL waits its turn, and only one whose time-out has passed is refused.
        /// `Observe` passes it on even then; `Off` lets no CALL wait.
    ];
    /// Points in time lie near now: a station's (B03), and what a CSMS says is now (B16).
    Timestamps timestamps "timestamps" Observe [
        /// Points in time lie near now. Observed by default: a wrong clock of the gate's own would
        /// otherwise keep a whole fleet from booting.
    ];
    /// Nothing for a shell is on its way into a station (B06).
    Injection injection "injection" Observe [
        /// What a CSMS sends holds nothing for a shell. Observed by default, until the report shows
        /// which settings of the fleet look like commands.
    ];
    /// Nothing for a page, a table or a query is on its way into the CSMS (B06).
    InjectionUp injection_up "injection-up" Observe [
        /// What a station reports holds nothing for a page, a table or a query. Never enforced: an
        /// honest name may look like one, and to quote it is the CSMS's part.
    ];
    /// Texts are no longer than a model with a known fault survives (B05).
    Patches patches "patches" Observe [
        /// Virtual patches: texts are no longer than a model with a known fault survives.
    ];
    /// A station is pointed to allowed CSMSs only (A14).
    BackendUrl backend_url "backend-url" Observe [
        /// A station is pointed to the CSMSs of [`crate::Policy::backends`] only. Observed by
        /// default, since at first none is allowed.
    ];
    /// No side says more of one kind than its bucket holds (B12).
    Rate rate "rate" Observe [
        /// Token buckets for each kind of message and session. By default observed: what a fleet says
        /// in its worst hour is the fleet's to show. Enforced, it refuses, but messages of a
        /// transaction, whose sender it reads more slowly.
    ];
    /// Who has not been accepted keeps silent, and is left alone (B10).
    Registration registration "registration" Observe [
        /// Between a BootNotification that was not accepted and one that is, a station sends nothing
        /// but what it was asked for, and a rejected one is asked for nothing. A station whose
        /// registration nobody remembers passes.
    ];
    /// A transaction is spoken of by the station that has it, and a connector has one (C04, C08).
    Transactions transactions "transactions" Observe [
        /// A transaction is spoken of by the station that has it (1.6), and no second one begins on a
        /// connector while one is open there. What is not remembered is nobody else's.
    ];
    /// Connectors and EVSEs that the station has (C07).
    Connectors connectors "connectors" Observe [
        /// No message names a connector beyond those that the station has said it has (1.6), and no
        /// transaction begins on connector 0.
    ];
    /// A station says the same of itself as it did before (E09).
    BootIdentity boot_identity "boot-identity" Observe [
        /// A BootNotification names the maker, model, serial number and SIM of the one before.
    ];
    /// A station with a certificate is the one that the certificate was first seen with (A12).
    BootSerial boot_serial "boot-serial" Enforce [
        /// A station that comes with a certificate says the serial number that it is bound to.
        /// Enforced by default: who says another one is another station, or another has taken its
        /// place, and then `portcullis station replace` says so.
    ];
}

impl Control {
    /// As strictly as it can be kept at all.
    pub const fn strictest(self) -> Mode {
        match self {
            Control::InjectionUp => Mode::Observe,
            _ => Mode::Enforce,
        }
    }

    /// The control of that name.
    pub fn named(name: &str) -> Option<Control> {
        let mut all = Control::ALL.iter().copied();
        all.find(|control| control.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_control_has_a_name_of_its_own_and_a_place() {
        for (place, control) in Control::ALL.iter().enumerate() {
            assert_eq!(Control::named(control.name()), Some(*control));
            assert_eq!(*control as usize, place);
            let mut controls = Controls::default();
            assert_eq!(controls.mode(*control), control.default_mode());
            for (name, mode) in Mode::NAMED {
                controls.set(*control, mode);
                assert_eq!((controls.mode(*control), mode.name()), (mode, name));
            }
        }
    }
}
