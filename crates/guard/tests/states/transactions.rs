//! C04: another station's transaction; C08: a second one on a connector.

use guard::Mode;
use ocpp::Version;

use crate::site::{Site, Told, fine, start, stop};

const FOREIGN: Told = Told::Refused("foreign");

fn meter(id: &str, transaction: &str) -> String {
    format!(
        r#"[2,"{id}","MeterValues",{{"connectorId":1,{transaction}"meterValue":[{{"timestamp":"2026-11-22T12:30:00Z","sampledValue":[{{"value":"1"}}]}}]}}]"#
    )
}

#[test]
fn a_station_that_names_anothers_transaction_is_refused_and_the_owner_is_not() {
    for mode in [Mode::Observe, Mode::Enforce] {
        let mut site = Site::new(Version::V16, mode);
        assert_eq!(site.starts("CP-1", "s", 1, 77), fine());
        let objected = match mode {
            Mode::Enforce => FOREIGN,
            _ => Told::Passed(vec!["foreign"]),
        };
        assert_eq!(
            site.says("EVIL", &meter("m", r#""transactionId":77,"#)),
            objected
        );
        assert_eq!(site.says("EVIL", &stop("x", 77)), objected);
        // Written as another parser reads it.
        let odd = stop("y", 77).replace(":77,", ":7.7e1,");
        assert_eq!(site.says("EVIL", &odd), objected);
        assert_eq!(site.says("EVIL", &meter("m2", "")), fine());
        assert_eq!(
            site.says("CP-1", &meter("m", r#""transactionId":77,"#)),
            fine()
        );
        assert_eq!(site.stops("CP-1", "e", 77), fine());
        assert_eq!(
            site.says("EVIL", &stop("z", 77)),
            fine(),
            "nobody's any more"
        );
    }
}

#[test]
fn ids_that_nobody_remembers_and_what_stations_write_that_know_none_are_nobodys() {
    let mut site = Site::new(Version::V16, Mode::Enforce);
    for id in [0, -1] {
        assert_eq!(site.starts("CP-1", &format!("s{id}"), 1, id), fine());
        site.wait(5);
        assert_eq!(site.says("CP-2", &stop(&format!("x{id}"), id)), fine());
        site.lose("CP-1");
    }
    assert_eq!(site.says("CP-2", &stop("u", 4711)), fine());
}

#[test]
fn a_csms_that_counts_for_each_station_is_borne() {
    let mut site = Site::new(Version::V16, Mode::Enforce);
    assert_eq!(site.starts("CP-1", "s", 1, 5), fine());
    assert_eq!(site.starts("CP-2", "s", 1, 5), fine());
    assert_eq!(site.stops("CP-1", "e", 5), fine());
    assert_eq!(site.stops("CP-2", "e", 5), fine());
    assert_eq!(site.starts("CP-1", "s6", 1, 6), fine());
    assert_eq!(site.stops("CP-2", "e6", 6), fine());
}

#[test]
fn c04_an_id_that_is_given_out_again_is_its_new_owners() {
    let mut site = Site::new(Version::V16, Mode::Enforce);
    site.starts("CP-1", "s", 1, 77);
    // Its last words are lost, and it goes on to something else.
    site.lose("CP-1");
    site.wait(5);
    assert_eq!(site.starts("CP-1", "s2", 1, 90), fine());
    assert_eq!(site.starts("CP-2", "s", 1, 77), fine());
    assert_eq!(site.says("EVIL", &stop("x", 77)), FOREIGN);
    assert_eq!(site.says("EVIL", &stop("y", 90)), FOREIGN);
    assert_eq!(site.says("CP-1", &stop("late", 77)), fine(), "its own once");
    assert_eq!(site.stops("CP-2", "e", 77), fine());
}

#[test]
fn c04_a_doubt_about_one_id_ends_when_its_old_owner_goes_on() {
    let mut site = Site::new(Version::V16, Mode::Enforce);
    site.starts("CP-1", "s", 1, 77);
    site.starts("CP-4", "s", 1, 50);
    site.lose("CP-1");
    site.wait(5);
    // The CSMS has begun to count from the front, or it counts for each station: nobody can say.
    site.starts("CP-2", "s", 1, 77);
    for (word, id) in [("x", 77), ("y", 50)] {
        assert_eq!(
            site.says("EVIL", &stop(word, id)),
            fine(),
            "unknown is not foreign"
        );
    }
    assert_eq!(site.starts("CP-1", "s2", 1, 90), fine());
    for (word, id) in [("p", 77), ("q", 50), ("r", 90)] {
        assert_eq!(site.says("EVIL", &stop(word, id)), FOREIGN);
    }
    assert_eq!(site.stops("CP-2", "e", 77), fine());
}

#[test]
fn ownership_survives_a_restart_and_last_words_may_come_twice() {
    let mut site = Site::new(Version::V16, Mode::Enforce);
    site.starts("CP-1", "s", 1, 77);
    site.starts("CP-1", "s2", 2, 78);
    site.restart();
    assert_eq!(site.says("EVIL", &stop("x", 77)), FOREIGN);
    assert_eq!(site.says("CP-1", &stop("e", 77)), fine());
    // The CSMS gives the id out anew before the station hears that its word has arrived.
    site.starts("CP-3", "s", 1, 77);
    site.restart();
    assert_eq!(site.says("CP-1", &stop("e", 77)), fine());
    assert_eq!(site.says("EVIL", &stop("y", 77)), FOREIGN);
}

#[test]
fn in_2x_no_transaction_is_foreign() {
    for version in [Version::V201, Version::V21] {
        let mut site = Site::new(version, Mode::Enforce);
        for station in ["CP-1", "CP-2"] {
            assert_eq!(site.says(station, &event("a", "Started", "T-1", 1)), fine());
        }
        assert_eq!(site.says("CP-3", &event("a", "Ended", "T-1", 1)), fine());
    }
}

fn event(id: &str, kind: &str, transaction: &str, evse: u16) -> String {
    format!(
        r#"[2,"{id}","TransactionEvent",{{"eventType":"{kind}","timestamp":"2026-11-22T12:00:00Z","triggerReason":"Authorized","seqNo":0,"transactionInfo":{{"transactionId":"{transaction}"}},"evse":{{"id":{evse}}}}}]"#
    )
}

#[test]
fn a_second_start_on_a_connector_is_refused_and_one_on_the_other_is_not() {
    let second = Told::Refused("second-on-connector");
    let mut site = Site::new(Version::V16, Mode::Enforce);
    assert_eq!(site.starts("CP-1", "s1", 1, 10), fine());
    site.wait(5);
    assert_eq!(site.starts("CP-1", "s2", 1, 11), second);
    assert_eq!(site.starts("CP-1", "s3", 2, 12), fine());
    assert_eq!(site.stops("CP-1", "e", 10), fine());
    assert_eq!(site.starts("CP-1", "s4", 1, 13), fine());

    let mut site = Site::new(Version::V201, Mode::Enforce);
    assert_eq!(site.says("CP-1", &event("a", "Started", "T-1", 1)), fine());
    assert_eq!(
        site.says("CP-1", &event("b", "Started", "T-1", 1)),
        fine(),
        "a repetition"
    );
    assert_eq!(site.says("CP-1", &event("c", "Started", "T-2", 1)), second);
    assert_eq!(site.says("CP-1", &event("d", "Started", "T-3", 2)), fine());
    assert_eq!(site.says("CP-1", &event("e", "Updated", "T-9", 1)), fine());
    assert_eq!(site.says("CP-1", &event("f", "Ended", "T-1", 1)), fine());
    assert_eq!(site.says("CP-1", &event("g", "Started", "T-2", 1)), fine());
}

#[test]
fn a_station_that_lost_its_memory_or_our_answer_starts_anew() {
    let at = "2026-11-22T12:00:00Z";
    for lost in ["answer", "reboot", "stop", "session"] {
        let mut site = Site::new(Version::V16, Mode::Enforce);
        assert_eq!(site.says("CP-1", &start("s1", 1, at)), fine());
        site.is_told(
            "CP-1",
            r#"[3,"s1",{"transactionId":10,"idTagInfo":{"status":"Accepted"}}]"#,
        );
        site.wait(20);
        let later = "2026-11-22T14:00:00Z";
        let told = match lost {
            "answer" => site.says("CP-1", &start("s2", 1, at)),
            "reboot" => {
                site.boots("CP-1", "b", "Accepted");
                site.says("CP-1", &start("s2", 1, later))
            }
            "stop" => {
                assert_eq!(site.says("CP-1", &stop("e", -1)), fine());
                site.says("CP-1", &start("s2", 1, later))
            }
            _ => {
                site.lose("CP-1");
                site.says("CP-1", &start("s2", 1, later))
            }
        };
        assert_eq!(told, fine(), "{lost}");
    }
}

#[test]
fn who_speaks_of_it_after_a_restart_knows_of_it() {
    let mut site = Site::new(Version::V16, Mode::Enforce);
    site.starts("CP-1", "s1", 1, 10);
    site.restart();
    assert_eq!(
        site.says("CP-1", &meter("m", r#""transactionId":10,"#)),
        fine()
    );
    site.wait(7);
    let told = site.starts("CP-1", "s2", 1, 11);
    assert_eq!(told, Told::Refused("second-on-connector"));
}
