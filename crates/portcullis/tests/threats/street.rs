//! Who is there: a gate, the CSMS behind it, an honest station that is connected, and somebody
//! hostile who knows every identity and has stolen one password.

use std::net::Ipv4Addr;
use std::sync::LazyLock;

use ocpp::Version;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde_json::json;
use sim::attack::{Attack, Saw, Stolen, Target};
use sim::{ConnectError, Conversation, Csms, CsmsBuilder, Envelope, Station};

use crate::scene::gate::{Gate, eventually};
use crate::scene::{Scene, client_tls};

/// Connected all the while.
pub(crate) const HONEST: &str = "CP-HONEST";
/// A station that nobody plays unless a scene says so.
pub(crate) const VICTIM: &str = "CP-VICTIM";
/// The station whose password was stolen.
pub(crate) const THIEF: &str = "CP-THIEF";
/// A station whose password a person chose: [`CHOSEN_PASSWORD`].
pub(crate) const CHOSEN: &str = "CP-CHOSEN";
/// Two stations with certificates.
pub(crate) const CERTIFIED: [&str; 2] = ["CP-CERT-1", "CP-CERT-2"];
/// What [`HONEST`] and [`VICTIM`] show; of the honest one the operator knows and accepts it.
pub(crate) const PASSWORD: &str = "3f09b1d7c6e2a8845d10";
/// What [`THIEF`] shows.
pub(crate) const STOLEN: &str = "9a4e77c10bd3f52866ee";
/// What [`CHOSEN`] shows.
pub(crate) const CHOSEN_PASSWORD: &str = "opensesame";

/// A set-up with everybody registered, to be copied: commands take their time.
static SET_UP: LazyLock<Scene> = LazyLock::new(|| {
    let scene = Scene::new();
    for name in CERTIFIED {
        let issue = ["ca", "issue", "station", name, "--cpo", "Example"];
        scene.run(&issue).is(0);
    }
    scene.run(&["ca", "revoke"]).is(0);
    scene.write(
        "stations.csv",
        format!(
            "identity,password_text,machine_made,certificate_name\n\
             {VICTIM},{PASSWORD},true,\n{HONEST},{PASSWORD},true,\n{THIEF},{STOLEN},true,\n\
             {CHOSEN},{CHOSEN_PASSWORD},,\n{},,,true\n{},,,true\n",
            CERTIFIED[0], CERTIFIED[1]
        ),
    );
    scene.configure("ws://127.0.0.1:9/ocpp", "", "");
    let import = ["station", "import", "stations.csv", "--allow-weak"];
    scene.run(&import).is(0);
    scene
});

/// The street, with the honest station connected.
pub(crate) struct Street {
    pub(crate) scene: Scene,
    pub(crate) gate: Gate,
    pub(crate) csms: Csms,
    pub(crate) honest: Conversation,
    honest_at_csms: Conversation,
}

impl Street {
    /// With these lines of configuration more; the first may belong to `[limits]`.
    pub(crate) async fn with(more: &str) -> Street {
        Street::before(Csms::builder(), more).await
    }

    /// With one control in that mode.
    pub(crate) async fn with_control(control: &str, mode: &str) -> Street {
        Street::with(&format!("[controls]\n{control} = \"{mode}\"\n")).await
    }

    /// With a CSMS of one's own making.
    pub(crate) async fn before(csms: CsmsBuilder, more: &str) -> Street {
        Street::set(csms, more, |config| config).await
    }

    /// With a configuration that is changed before the gate reads it.
    pub(crate) async fn set(csms: CsmsBuilder, more: &str, change: fn(String) -> String) -> Street {
        let csms = csms.start("127.0.0.1:0").await.unwrap();
        let scene = Scene::copy_of(&SET_UP);
        scene.configure(csms.url(), "", more);
        scene.write("portcullis.toml", change(scene.read("portcullis.toml")));
        let gate = scene.serve();
        let station = known(&scene, &gate, HONEST).password(PASSWORD);
        let honest = station.connect().await.unwrap();
        let honest_at_csms = csms.station(HONEST).await.unwrap();
        let boot = json!({ "chargePointVendor": "Voltwerk", "chargePointModel": "VW-22 Duo" });
        honest.call("BootNotification", boot).await.unwrap();
        Street {
            scene,
            gate,
            csms,
            honest,
            honest_at_csms,
        }
    }

    /// A station that trusts the gate, speaks 1.6 and shows nothing.
    pub(crate) fn stranger(&self, identity: &str) -> Station {
        known(&self.scene, &self.gate, identity)
    }

    /// The same from another address of this machine.
    pub(crate) fn stranger_from(&self, identity: &str, last: u8) -> Station {
        let from = Ipv4Addr::new(127, 0, 66, last);
        self.stranger(identity).bind(from.into())
    }

    /// The station whose password was stolen.
    pub(crate) fn thief(&self) -> Station {
        self.stranger(THIEF).password(STOLEN)
    }

    /// One of the stations with a certificate, with its own.
    pub(crate) fn certified(&self, name: &str) -> Station {
        let pem = |file: String| self.scene.path(&format!("ca/{file}"));
        let tls = client_tls(
            &pem("ca.pem".to_owned()),
            &pem(format!("station-{name}.pem")),
            &pem(format!("station-{name}.key")),
        );
        self.stranger(name).tls(tls)
    }

    /// Both ends of a conversation of that station.
    pub(crate) async fn talk(&self, station: &Station) -> (Conversation, Conversation) {
        let ours = station.connect().await.unwrap();
        let theirs = self.csms.station(ours.identity()).await.unwrap();
        (ours, theirs)
    }

    /// Tries one of the attacks that `sim` knows, by its name.
    pub(crate) async fn attack(&self, name: &str) -> Saw {
        let target = Target {
            url: self.gate.tls(),
            trusted: roots(&self.scene),
            victim: VICTIM.to_owned(),
            stolen: Stolen {
                identity: THIEF.to_owned(),
                version: Version::V16,
                password: STOLEN.into(),
            },
            from: None,
        };
        let attack = Attack::all().into_iter().find(|one| one.name == name);
        attack.unwrap().run(&target).await
    }

    /// Nobody but the honest station has ever reached the CSMS.
    #[track_caller]
    pub(crate) fn nobody_arrived(&self) {
        let seen = self.csms.handshakes();
        let who: Vec<String> = seen.iter().map(sim::Handshake::identity).collect();
        assert_eq!(who, [HONEST], "who reached the CSMS");
    }

    /// The CSMS has heard from that station nothing but heartbeats, whatever was tried.
    #[track_caller]
    pub(crate) fn nothing_arrived(&self, station: &str) {
        for session in self.csms.sessions(station) {
            let mut heard = session.received();
            heard.retain(|text| !is_call(text, "Heartbeat"));
            assert_eq!(heard, [""; 0], "from {station}");
        }
    }

    /// The honest station is still in the conversation that it had, and is heard both ways.
    pub(crate) async fn honest_notices_nothing(&self) {
        self.honest.call("Heartbeat", json!({})).await.unwrap();
        let order = json!({});
        self.honest_at_csms.call("ClearCache", order).await.unwrap();
        assert_eq!(self.csms.sessions(HONEST).len(), 1, "it never came anew");
    }

    /// The gate has counted so many refused handshakes for that reason.
    #[track_caller]
    pub(crate) fn counted_refusals(&self, why: &str, count: usize) {
        let metric = "portcullis_handshakes_refused_by_total";
        self.gate
            .expect_metric(&format!("{metric}{{why=\"{why}\"}} {count}"));
    }

    /// The gate has counted refused handshakes for that reason.
    #[track_caller]
    pub(crate) fn counts_refusals(&self, why: &str) {
        let wanted = format!("portcullis_handshakes_refused_by_total{{why=\"{why}\"}}");
        let page = || self.gate.ask("/metrics").body;
        eventually(|| page().contains(&wanted), page);
    }

    /// The gate has counted so many objections of that control in that mode.
    #[track_caller]
    pub(crate) fn counted_findings(&self, control: &str, mode: &str, count: usize) {
        let metric = "portcullis_findings_total";
        let labels = format!("{{control=\"{control}\",mode=\"{mode}\"}}");
        self.gate
            .expect_metric(&format!("{metric}{labels} {count}"));
    }
}

/// Who sends a message that a control speaks against.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum From {
    Station,
    Csms,
}

impl Street {
    /// At enforce: that message does not arrive, and its sender hears so where it asked something.
    /// The conversation goes on.
    pub(crate) async fn is_held(&self, control: &str, from: From, message: &str) {
        let (station, csms) = self.talk(&self.thief()).await;
        self.is_held_between(control, from, message, &station, &csms)
            .await;
    }

    /// The same in a conversation that something was said in before.
    pub(crate) async fn is_held_between(
        &self,
        control: &str,
        from: From,
        message: &str,
        station: &Conversation,
        csms: &Conversation,
    ) {
        let (speaker, hearer) = ends(from, station, csms);
        speaker.send_text(message).unwrap();
        if let Some(Envelope::Call { id, .. }) = Envelope::read(message) {
            let answer = speaker.expect_answer(&id).await.unwrap();
            assert!(matches!(answer, Envelope::Error { .. }), "{answer:?}");
        }
        goes_on(from, speaker).await;
        assert!(!hearer.received().iter().any(|text| text == message));
        self.counted_findings(control, "enforce", 1);
        self.gate.expect_line("message refused");
        self.honest_notices_nothing().await;
    }

    /// At observe: that message arrives, byte for byte, and is counted and told.
    pub(crate) async fn passes(&self, control: &str, from: From, message: &str) {
        let (station, csms) = self.talk(&self.thief()).await;
        self.passes_between(control, from, message, &station, &csms)
            .await;
    }

    /// The same in a conversation that something was said in before.
    pub(crate) async fn passes_between(
        &self,
        control: &str,
        from: From,
        message: &str,
        station: &Conversation,
        csms: &Conversation,
    ) {
        let (speaker, hearer) = ends(from, station, csms);
        speaker.send_text(message).unwrap();
        goes_on(from, speaker).await;
        assert!(hearer.received().iter().any(|text| text == message));
        self.counted_findings(control, "observe", 1);
        self.gate.expect_line("message observed");
        self.honest_notices_nothing().await;
    }
}

fn ends<'c>(
    from: From,
    station: &'c Conversation,
    csms: &'c Conversation,
) -> (&'c Conversation, &'c Conversation) {
    match from {
        From::Station => (station, csms),
        From::Csms => (csms, station),
    }
}

/// Another call is answered; whatever was said before it has arrived by then, or never will.
pub(crate) async fn goes_on(from: From, speaker: &Conversation) {
    let action = match from {
        From::Station => "Heartbeat",
        From::Csms => "ClearCache",
    };
    speaker.call(action, json!({})).await.unwrap();
}

/// The status with which that station is turned away.
pub(crate) async fn turned_away(station: &Station) -> u16 {
    match station.connect().await {
        Err(ConnectError::Refused { status, .. }) => status,
        Err(other) => panic!("turned away without a status: {other}"),
        Ok(_) => panic!("it was let in"),
    }
}

fn is_call(text: &str, named: &str) -> bool {
    matches!(Envelope::read(text), Some(Envelope::Call { action, .. }) if action == named)
}

fn known(scene: &Scene, gate: &Gate, identity: &str) -> Station {
    let station = Station::new(gate.tls(), identity).version(Version::V16);
    roots(scene).into_iter().fold(station, Station::trust)
}

fn roots(scene: &Scene) -> Vec<CertificateDer<'static>> {
    let roots = CertificateDer::pem_file_iter(scene.path("ca/ca.pem")).unwrap();
    roots.map(Result::unwrap).collect()
}
