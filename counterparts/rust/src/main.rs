//! A station on ocpp-client: `ocpp-client-station '{"endpoint", "identity", "protocol", "script", …}'`.
//! It follows the script and tells every payload it sends and receives as a line of JSON.

mod door;
mod script;
mod tape;

use std::error::Error;
use std::time::Duration;

use ocpp_client::{Client, ClientConfig, ProtocolError, TokioExecutor, TokioTimer};

use tokio::sync::watch;

use door::Door;
use script::Script;

type Failure = Box<dyn Error + Send + Sync>;

const ANSWER_WAIT: Duration = Duration::from_secs(15);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let door: Door = serde_json::from_str(&std::env::args().nth(1).ok_or("no door given")?)?;
    let script: Script = serde_json::from_slice(&std::fs::read(&door.script)?)?;
    match door.protocol.as_str() {
        "ocpp1.6" => {
            let (client, answers) = connected(&door).await?;
            script::v16(client, &script, answers).await
        }
        "ocpp2.0.1" => {
            let (client, answers) = connected(&door).await?;
            script::v201(client, &script, answers).await
        }
        "ocpp2.1" => {
            let (client, answers) = connected(&door).await?;
            script::v21(client, &script, answers).await
        }
        other => Err(format!("no such protocol: {other}").into()),
    }
}

/// The library's client on the library's WebSocket, with a tape running between the two.
async fn connected<E: ProtocolError>(
    door: &Door,
) -> Result<(Client<E>, watch::Receiver<usize>), Failure> {
    let (sink, stream) = door.open().await?;
    let (sink, answers) = tape::sink(sink);
    let client = Client::from_transport_with_config(
        sink,
        tape::stream(stream),
        Box::new(TokioExecutor),
        Box::new(TokioTimer),
        ClientConfig::new(ANSWER_WAIT),
    );
    Ok((client, answers))
}
