//! C07: connectors that the station does not have.

use guard::Mode;
use ocpp::Version;

use crate::site::{Site, Told, fine, start};

const CP: &str = "CP-1";

fn status(id: &str, connector: i64) -> String {
    format!(
        r#"[2,"{id}","StatusNotification",{{"connectorId":{connector},"errorCode":"NoError","status":"Available"}}]"#
    )
}

fn says_it_has(site: &mut Site, id: &str, connectors: &str) {
    site.is_told(CP, &format!(r#"[2,"{id}","GetConfiguration",{{}}]"#));
    let keys = format!(
        r#"[3,"{id}",{{"configurationKey":[{{"key":"HeartbeatInterval","readonly":false,"value":"300"}},{{"key":"NumberOfConnectors","readonly":true,"value":"{connectors}"}},{{"key":"Other","readonly":true,"value":"9"}}]}}]"#
    );
    assert_eq!(site.says(CP, &keys), fine());
}

#[test]
fn a_connector_beyond_those_it_has_is_refused_once_it_has_said_how_many() {
    let at = "2026-11-22T12:00:00Z";
    let beyond = Told::Refused("beyond");
    let mut site = Site::new(Version::V16, Mode::Enforce);
    assert_eq!(site.says(CP, &start("1", 42, at)), fine(), "nobody knows");
    says_it_has(&mut site, "g", "2");
    assert_eq!(site.says(CP, &start("2", 42, at)), beyond);
    assert_eq!(site.says(CP, &status("3", 3)), beyond);
    for connector in 0..3 {
        let id = format!("ok{connector}");
        assert_eq!(site.says(CP, &status(&id, connector)), fine());
    }
    let unlock = r#"[2,"u","UnlockConnector",{"connectorId":9}]"#;
    assert_eq!(site.is_told(CP, unlock), beyond);
    site.restart();
    assert_eq!(
        site.says(CP, &start("4", 42, at)),
        beyond,
        "it is remembered"
    );
    says_it_has(&mut site, "g2", "50");
    assert_eq!(
        site.says(CP, &start("5", 42, at)),
        fine(),
        "it has more now"
    );
}

#[test]
fn a_number_that_is_none_teaches_nothing() {
    let mut site = Site::new(Version::V16, Mode::Enforce);
    for (id, many) in [
        ("a", "0"),
        ("b", "-2"),
        ("c", "many"),
        ("d", "65535"),
        ("e", ""),
    ] {
        says_it_has(&mut site, id, many);
        assert_eq!(site.memory(CP).connectors(), None, "{many}");
    }
}

#[test]
fn no_transaction_begins_on_connector_0_or_below() {
    let at = "2026-11-22T12:00:00Z";
    let mut site = Site::new(Version::V16, Mode::Enforce);
    assert_eq!(site.says(CP, &start("1", 0, at)), Told::Refused("zero"));
    assert_eq!(
        site.says(CP, &start("2", -3, at)),
        Told::Refused("negative")
    );
    assert_eq!(site.says(CP, &status("3", 0)), fine());
}
