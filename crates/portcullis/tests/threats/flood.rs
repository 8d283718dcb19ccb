//! Too much of what is allowed one by one.

use tokio::task::JoinSet;

use crate::street::{From, PASSWORD, Street, VICTIM, goes_on, turned_away};

/// Connections that come at once, of many times the number that may wait.
const STORM: usize = 400;

#[tokio::test(flavor = "multi_thread")]
async fn a20_everybody_comes_at_once_at_enforce() {
    let street = Street::with("handshakes_max = 4\nwaiting_max = 40").await;
    // From one address, with a password that opens nothing: each would cost a handshake.
    let stranger = street.stranger_from("CP-STORM", 20).password(PASSWORD);
    let mut storm = JoinSet::new();
    for _ in 0..STORM {
        let stranger = stranger.clone();
        storm.spawn(async move { stranger.connect().await.is_err() });
    }
    // In the midst of it a station comes from where it has been, and is called in before them.
    let (station, _) = street
        .talk(&street.stranger(VICTIM).password(PASSWORD))
        .await;
    goes_on(From::Station, &station).await;
    street.honest_notices_nothing().await;
    assert_eq!(storm.join_all().await, [true; STORM]);
    street.counts_refusals("limit");
    assert_eq!(street.csms.sessions("CP-STORM").len(), 0);
    assert_eq!(street.csms.sessions(VICTIM).len(), 1);
    // Once it is over, whoever has no business here hears so as before.
    let late = street.stranger("CP-STORM").password(PASSWORD);
    assert_eq!(turned_away(&late).await, 401);
    street.honest_notices_nothing().await;
}
