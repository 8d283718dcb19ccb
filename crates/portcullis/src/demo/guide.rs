//! What the demo says about itself, and how to point a station of one's own at it.

use super::stage::Stage;

/// Before the gate is up.
pub(super) fn opening(stage: &Stage) -> String {
    format!(
        "Portcullis demo: {count} stations ═TLS═▶ the gate on {listen} ═▶ a CSMS on {csms}\n\
         \x20  Set up in {directory}\n\
         \x20  Attackers come by all the time. Times are UTC.\n",
        count = stage.cast.chargers().len(),
        listen = stage.listen,
        csms = stage.csms.address(),
        directory = stage.directory.display(),
    )
}

/// How to come in with a station of one's own.
pub(super) fn own_station(stage: &Stage) -> String {
    let spare = &stage.cast.spare;
    let (identity, password) = (&spare.identity, &spare.password);
    let ca = stage.authority_file.display();
    let url = &stage.url;
    format!(
        "A station of your own can come in too, with any of OCPP 1.6, 2.0.1 and 2.1:\n\
         \x20  URL        {url}/{identity}\n\
         \x20  identity   {identity}\n\
         \x20  password   {password}\n\
         \x20  trusts     {ca}\n\
         \x20  from PyPI  pip install test-ocpp && \\\n\
         \x20             test-ocpp {url} {identity} --ocpp 1.6 --ca {ca} --password {password}\n\
         \x20  by hand    curl -v -N --http1.1 --cacert {ca} -u {identity}:{password} \\\n\
         \x20               -H 'Connection: Upgrade' -H 'Upgrade: websocket' -H 'Sec-WebSocket-Version: 13' \\\n\
         \x20               -H 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==' -H 'Sec-WebSocket-Protocol: ocpp1.6' \\\n\
         \x20               {https}/{identity}\n\
         More stations: portcullis station add --config {config} NAME --generate\n\
         Numbers: http://{admin}/metrics, /readyz, /healthz\n",
        https = url.replacen("wss:", "https:", 1),
        config = stage.config.display(),
        admin = stage.admin,
    )
}

/// After the end.
pub(super) fn closing(stage: &Stage) -> String {
    format!(
        "The demo is over. What it was set up from is still in {}.",
        stage.directory.display()
    )
}
