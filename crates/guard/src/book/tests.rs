use ocpp::Version;

use super::*;
use crate::UpstreamCredential;

fn route(id: &str, path: &str) -> Route {
    Route {
        id: RouteId(id.into()),
        path: path.to_owned(),
        tenant: Tenant("t".into()),
        upstream: "ws://127.0.0.1:9000/ocpp".to_owned(),
        credential: UpstreamCredential::None,
        organization: None,
    }
}

fn station(tenant: &str, id: &str) -> StationRecord {
    let id = StationId::parse(id, Version::V16).unwrap();
    StationRecord::new(id, Tenant(tenant.into()), Credential::CertificateName)
}

fn none() -> [StationRecord; 0] {
    []
}

#[test]
fn a_path_finds_its_route_and_identity() {
    let routes = [
        route("plain", "/ocpp/{identity}"),
        route("brand", "/ocpp/brand-b/{identity}"),
        route("root", "/{identity}"),
    ];
    let book = Book::new(routes, none()).unwrap();
    for (path, expected) in [
        ("/ocpp/CP1", Some(("plain", "CP1"))),
        ("/ocpp/CP1/", Some(("plain", "CP1"))),
        ("/ocpp/CP%201", Some(("plain", "CP%201"))),
        ("/ocpp/CP1%2F..%2FCP2", Some(("plain", "CP1%2F..%2FCP2"))),
        ("/ocpp/brand-b/CP1", Some(("brand", "CP1"))),
        ("/ocpp/brand-b", Some(("plain", "brand-b"))),
        ("/CP1", Some(("root", "CP1"))),
        ("/ocpp/CP1//", None),
        ("//CP1", None),
        ("/OCPP/CP1", None),
        ("/ocpp/brand-b/x/CP1", None),
        ("/ocp%70/CP1", None),
        ("/", None),
        ("//", None),
        ("", None),
        ("ocpp/CP1", None),
    ] {
        let found = book.route(path).map(|(route, id)| (&*route.id.0, id));
        assert_eq!(found, expected, "{path}");
    }
}

#[test]
fn patterns_that_are_none_are_refused() {
    for path in [
        "",
        "/",
        "ocpp/{identity}",
        "/ocpp",
        "/ocpp/{identity}/",
        "/ocpp/{id}",
        "/ocpp//{identity}",
        "//{identity}",
        "/a%20b/{identity}",
        "/../{identity}",
        "/ocpp{identity}",
        "/{identity}/{identity}",
        "/a?b/{identity}",
    ] {
        let refused = Book::new([route("r", path)], none()).unwrap_err();
        assert!(refused.to_string().contains(path), "{refused}");
    }
}

#[test]
fn two_routes_cannot_share_a_path_or_a_name() {
    let same_path = [route("a", "/o/{identity}"), route("b", "/o/{identity}")];
    assert!(matches!(
        Book::new(same_path, none()),
        Err(BookError::SamePath { .. })
    ));
    let same_name = [route("a", "/o/{identity}"), route("a", "/p/{identity}")];
    assert!(matches!(
        Book::new(same_name, none()),
        Err(BookError::SameRoute(_))
    ));
}

#[test]
fn stations_are_found_to_the_letter_within_their_tenant() {
    let stations = [
        station("b", "CP2"),
        station("a", "CP1"),
        station("b", "cp1"),
    ];
    let book = Book::new([], stations).unwrap();
    let find = |tenant: &str, id: &str| {
        let id = StationId::parse(id, Version::V16).unwrap();
        book.find(&Tenant(tenant.into()), &id).is_some()
    };
    assert!(find("a", "CP1") && find("b", "cp1") && find("b", "CP2"));
    assert!(!find("a", "cp1") && !find("a", "CP2") && !find("c", "CP1"));
}

#[test]
fn a_station_is_found_in_any_spelling_within_its_tenant() {
    let stations = ["zulu", "CP-10", "SÄULE", "cp-2", "ALPHA"].map(|id| station("b", id));
    let others = ["alpha", "CP-3"].map(|id| station("a", id));
    let book = Book::new([], stations.into_iter().chain(others)).unwrap();
    let find = |tenant: &str, id: &str| {
        let id = StationId::parse(id, Version::V16).unwrap();
        let found = book.find_in_any_case(&Tenant(tenant.into()), &id);
        found.map(|record| record.id.as_str().to_owned())
    };
    for (asked, known) in [
        ("ZULU", "zulu"),
        ("cp-10", "CP-10"),
        ("säule", "SÄULE"),
        ("CP-2", "cp-2"),
        ("alpha", "ALPHA"),
    ] {
        assert_eq!(find("b", asked).as_deref(), Some(known));
    }
    assert_eq!(find("a", "ALPHA").as_deref(), Some("alpha"));
    for (tenant, id) in [("b", "CP-3"), ("a", "cp-2"), ("c", "zulu"), ("b", "CP-")] {
        assert_eq!(find(tenant, id), None);
    }
}

#[test]
fn identities_that_differ_only_in_case_are_refused_within_a_tenant() {
    for (first, second) in [("CP1", "cp1"), ("CP1", "CP1"), ("SÄULE", "säule")] {
        let refused = Book::new([], [station("a", first), station("a", second)]).unwrap_err();
        let words = refused.to_string();
        assert!(words.contains(first) && words.contains(second), "{words}");
        assert!(Book::new([], [station("a", first), station("b", second)]).is_ok());
    }
}
