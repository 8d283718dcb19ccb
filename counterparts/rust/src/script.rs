//! The script, said and answered through the library's typed requests and answers.

use std::collections::HashMap;

use ocpp_client::{Action, Client, ClientError, ProtocolError, ocpp_1_6};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::Failure;

/// What both ends follow; see `conversation.py`.
#[derive(Deserialize)]
pub(crate) struct Script {
    station: Vec<Step>,
    csms: Vec<Step>,
    farewell: Vec<Step>,
    answers: HashMap<String, HashMap<String, Value>>,
}

#[derive(Deserialize)]
struct Step {
    #[serde(default)]
    action: String,
    send: Option<String>,
    payload: Value,
    #[serde(default)]
    fails: bool,
}

/// Says one step as a CALL of that type.
async fn call<A: Action, E: ProtocolError>(client: &Client<E>, step: &Step) -> Result<(), Failure> {
    let request: A::Request = serde_json::from_value(step.payload.clone())?;
    match client.call::<A>(request).await {
        Ok(_) if !step.fails => Ok(()),
        Err(ClientError::Protocol(_)) if step.fails => Ok(()),
        Ok(_) => Err(format!("{}: was expected to be refused", step.action).into()),
        Err(error) => Err(format!("{}: {error}", step.action).into()),
    }
}

/// Answers CALLs of that type by the script.
async fn answer<A: Action, E: ProtocolError>(client: &Client<E>, script: &Script) {
    let Some(scripted) = script.answers["station"].get(A::NAME).cloned() else {
        return;
    };
    client
        .on::<A, _, _>(move |_request, _| {
            let answer = match scripted["refused"].as_str() {
                Some(code) => Err(E::from_wire(code, "not in this scene", json!({}))),
                None => serde_json::from_value(scripted.clone())
                    .map_err(|error| E::from_wire("InternalError", &error.to_string(), json!({}))),
            };
            async move { answer }
        })
        .await;
}

/// In 2.x the library takes DataTransfer's `data` for a customData object; the standard allows
/// anything, so we bring an action of our own for it, as the library invites us to.
macro_rules! with_any_data {
    ($name:ident, $version:ident, $types:ident) => {
        mod $name {
            pub(super) use ocpp_client::$version::*;

            pub(super) struct DataTransfer;

            impl super::Action for DataTransfer {
                const NAME: &'static str = "DataTransfer";
                type Request = ocpp_client::ocpp_types::$types::DataTransferRequest<super::Value>;
                type Response = ocpp_client::ocpp_types::$types::DataTransferResponse<super::Value>;
            }
        }
    };
}
with_any_data!(ocpp_2_0_1, ocpp_2_0_1, v201);
with_any_data!(ocpp_2_1, ocpp_2_1, v21);

/// One function for each version, since each has its own types: `says` are the CALLs the script may
/// hold for us, `answers` those it may hold for the CSMS, `sends` the SENDs.
macro_rules! follow {
    ($name:ident, $version:ident, $client:ty, says $($say:ident)*, answers $($answer:ident)*, sends $($send:ident $method:ident)*) => {
        pub(crate) async fn $name(
            client: $client,
            script: &Script,
            mut answers: watch::Receiver<usize>,
        ) -> Result<(), Failure> {
            $(answer::<$version::$answer, _>(&client, script).await;)*
            let say = async |step: &Step| -> Result<(), Failure> {
                $(if step.send.as_deref() == Some(stringify!($send)) {
                    let payload = serde_json::from_value(step.payload.clone())?;
                    return client.$method(payload).await.map_err(Failure::from);
                })*
                match step.action.as_str() {
                    $(stringify!($say) => call::<$version::$say, _>(&client, step).await,)*
                    other => Err(format!("{other:?} is not in this program's list").into()),
                }
            };
            for step in &script.station {
                say(step).await?;
            }
            // The CSMS has handed back when all it asked is answered.
            answers.wait_for(|sent| *sent == script.csms.len()).await?;
            for step in &script.farewell {
                say(step).await?;
            }
            client.disconnect().await.map_err(Failure::from)
        }
    };
}

follow! {
    v16, ocpp_1_6, ocpp_1_6::OCPP1_6Client,
    says BootNotification StatusNotification Heartbeat Authorize StartTransaction MeterValues
         StopTransaction DataTransfer LogStatusNotification,
    answers GetConfiguration RemoteStartTransaction UnlockConnector DataTransfer Reset,
    sends
}
follow! {
    v201, ocpp_2_0_1, ocpp_2_0_1::OCPP2_0_1Client,
    says BootNotification StatusNotification Heartbeat Authorize TransactionEvent MeterValues
         DataTransfer FirmwareStatusNotification,
    answers GetVariables RequestStartTransaction UnlockConnector DataTransfer Reset,
    sends
}
follow! {
    v21, ocpp_2_1, ocpp_2_1::OCPP2_1Client,
    says BootNotification StatusNotification Heartbeat Authorize TransactionEvent MeterValues
         DataTransfer FirmwareStatusNotification,
    answers GetVariables RequestStartTransaction UnlockConnector DataTransfer Reset,
    sends NotifyPeriodicEventStream send_notify_periodic_event_stream
}
