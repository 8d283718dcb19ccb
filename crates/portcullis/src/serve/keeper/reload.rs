//! Everything that the configuration says, read anew. All of it comes into force, or nothing.

use std::collections::HashSet;
use std::sync::Arc;

use gateway::{Gateway, Renewal, StartError};
use guard::{Book, SessionFacts};
use tracing::{error, info, warn};

use super::Keeper;
use super::changes;
use super::leaving::Leaving;
use super::register;
use crate::Problem;
use crate::config::{Config, Materials};
use crate::health::Finding;
use crate::recorder::GATE;
use crate::serve::orders::{Reload, Reloaded};
use crate::serve::watch::{self, Looked};

/// What the condition is called.
pub(super) const SUBJECT: &str = "configuration";

/// All that has been read, and is right.
struct Candidate {
    config: Config,
    materials: Materials,
    renewal: Renewal,
    book: Book,
}

impl Keeper {
    /// Reads the configuration and brings it into force. The stations stay those of the snapshot:
    /// they are the register's to say, and the register may be lost while this is asked.
    pub(super) fn reload(&mut self, force: bool) -> Reload {
        let candidate = match self.candidate() {
            Ok(candidate) => candidate,
            Err(problems) => {
                self.finding = wrong(&problems);
                return Reload::Wrong(problems);
            }
        };
        let mistrusted = numbers(&candidate.renewal.mistrusted());
        let older = self.book.load_full();
        let leaving = Leaving::judge(
            &self.sessions(),
            &candidate.book,
            &older,
            &mistrusted,
            self.register.renewed(),
        );
        if leaving.must_be_confirmed() && !force {
            let ended = leaving.told();
            self.finding = Finding::warn(
                SUBJECT,
                format!(
                    "what is written now would end {}: it is not in force",
                    ended.in_words()
                ),
                "Change it back, or, if it is meant: portcullis reload --force",
            );
            return Reload::Unconfirmed(ended);
        }
        Reload::Done(self.bring_into_force(candidate, &older))
    }

    fn candidate(&self) -> Result<Candidate, Vec<Problem>> {
        let config = Config::load(&self.path)?;
        let materials = Materials::load(&config)?;
        let in_file = |what: String| {
            let remedy = "`portcullis check` looks at the file and those it names.";
            vec![Problem::new(what, remedy).in_file(config.name.clone())]
        };
        let settings = materials.settings.clone();
        let renewal = self.with_gate(|gate| gate.renewal(settings));
        let closing = || Err(StartError::NoListener);
        let renewal = renewal
            .unwrap_or_else(closing)
            .map_err(|error| in_file(error.to_string()))?;
        let stations = self.book.load().stations().to_vec();
        let book = Book::new(materials.routes.clone(), stations)
            .map_err(|error| in_file(error.to_string()))?;
        Ok(Candidate {
            config,
            materials,
            renewal,
            book,
        })
    }

    fn bring_into_force(&mut self, candidate: Candidate, older: &Book) -> Reloaded {
        let Candidate {
            config,
            materials,
            renewal,
            book,
        } = candidate;
        let changed = changes::between(&self.config, &self.settings, &config, &materials.settings);
        let routes_changed = self.routes != materials.routes;
        let mut changed = changed;
        if routes_changed {
            changed.push("routes".to_owned());
        }
        // Asked while the old rules are those that sessions came under.
        let mistrusted = numbers(&renewal.mistrusted());
        let mut lists = materials.lists;
        let mut running = self.world.lists.lock();
        self.with_gate(|gate| gate.renew(renewal));
        for listener in &mut lists {
            if let Some(rules) = self.rules.get(&listener.listener()) {
                listener.continue_in(rules);
            }
        }
        *running = lists;
        drop(running);
        self.book.store(Arc::new(book));
        self.world.level.set(config.log.level);
        watch::forget_what_is_named(&self.world.conditions);
        let looked = Looked::new(&config, materials.certificates);
        self.world.looked.store(Arc::new(looked));
        self.files.are(config.files());
        self.settings = materials.settings;
        self.routes = materials.routes;
        self.config = config;
        self.lay_down_policy();
        if routes_changed {
            self.write_routes();
        }
        let sessions = self.send_away(older, &mistrusted, self.register.renewed());
        // Whoever got in while all this was asked came by what was trusted before, too.
        self.with_gate(Gateway::end_revoked);
        let needs_restart = changes::for_the_next_start(&self.started, &self.config);
        self.finding = in_force(&needs_restart);
        Reloaded {
            changed,
            needs_restart,
            sessions,
        }
    }

    /// For `route list`; the gate itself goes by what it has read.
    pub(super) fn write_routes(&mut self) {
        let routes = self.routes.clone();
        register::write_routes(self.register.store(), &routes);
    }

    /// Says in the log what came of a reload.
    pub(super) fn report(&self, why: &str, outcome: &Reload) {
        match outcome {
            Reload::Done(done) => {
                let changed = done.changed.join(", ");
                info!(
                    changed,
                    needs_restart = done.needs_restart.join(", "),
                    ended = done.sessions.ended,
                    "reloaded ({why}): {} is in force",
                    self.config.name
                );
                self.done("reload", GATE, format!("{why}: {changed}"));
            }
            Reload::Wrong(problems) => {
                for problem in problems {
                    let place = match (&problem.file, problem.line) {
                        (Some(file), Some(line)) => format!("{file}:{line}"),
                        (file, _) => file.clone().unwrap_or_default(),
                    };
                    let remedy = &problem.remedy;
                    error!(place, remedy, "not reloaded ({why}): {}", problem.what);
                }
            }
            Reload::Unconfirmed(ended) => warn!(
                remedy = "portcullis reload --force",
                "not reloaded ({why}): it would end {}",
                ended.in_words()
            ),
        }
    }
}

fn numbers(sessions: &[Arc<SessionFacts>]) -> HashSet<u64> {
    sessions.iter().map(|session| session.number).collect()
}

fn wrong(problems: &[Problem]) -> Finding {
    let first = problems.first();
    let what = first.map(ToString::to_string).unwrap_or_default();
    let what = what.lines().next().unwrap_or_default();
    let more = match problems.len() {
        0 | 1 => String::new(),
        count => format!(", and {} more", count - 1),
    };
    Finding::warn(
        SUBJECT,
        format!("what is written now is wrong, and what was read before is in force: {what}{more}"),
        "`portcullis check` says all that is wrong; the gate reads it again when it changes.",
    )
}

fn in_force(needs_restart: &[String]) -> Finding {
    match needs_restart.is_empty() {
        true => Finding::ok(SUBJECT, "in force as it is written"),
        false => Finding::warn(
            SUBJECT,
            format!(
                "in force, but for what is only read at a start: {}",
                needs_restart.join(", ")
            ),
            "Restart the gate, or `portcullis upgrade`, when it suits you.",
        ),
    }
}
