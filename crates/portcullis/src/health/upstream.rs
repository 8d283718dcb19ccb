//! Does the CSMS of each route answer the phone? A TCP connection is opened and closed again.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::net::{TcpSocket, TcpStream, lookup_host};

use super::Finding;
use crate::config::RouteSettings;

/// A CSMS that takes longer is as good as gone.
const PATIENCE: Duration = Duration::from_secs(5);

/// Calls the CSMS of every route. With others still there, one that is missing is a warning: its
/// stations wait, and the gate works.
pub(crate) async fn look(routes: &[RouteSettings]) -> Vec<Finding> {
    let mut calls = Vec::with_capacity(routes.len());
    for route in routes {
        let (host, port) = (route.target.host.clone(), route.target.port);
        let bind = route.bind.first().copied();
        calls.push(tokio::spawn(async move { call(&host, port, bind).await }));
    }
    let mut answers = Vec::with_capacity(routes.len());
    for (route, call) in routes.iter().zip(calls) {
        let answer = call.await.unwrap_or_else(|error| Err(error.to_string()));
        answers.push((route, answer));
    }
    let all_missing = answers.iter().all(|(_, answer)| answer.is_err());
    answers
        .into_iter()
        .map(|(route, answer)| {
            let subject = format!("csms {}", route.id.value);
            let url = &route.upstream.value;
            let remedy = "See that the CSMS runs, that `upstream` names it, and that no firewall stands between.";
            match answer {
                Ok(()) => Finding::ok(subject, format!("{url} answers")),
                Err(why) => {
                    let what = format!("{url} cannot be reached: {why}");
                    let missing = Finding::fail(subject, what, remedy);
                    let level = if all_missing { missing.level } else { super::Level::Warn };
                    Finding { level, ..missing }
                }
            }
        })
        .collect()
}

async fn call(host: &str, port: u16, bind: Option<IpAddr>) -> Result<(), String> {
    let connected = tokio::time::timeout(PATIENCE, connect(host, port, bind)).await;
    match connected {
        Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
        Ok(result) => result.map(drop).map_err(|error| error.to_string()),
    }
}

async fn connect(host: &str, port: u16, bind: Option<IpAddr>) -> std::io::Result<TcpStream> {
    let mut last = None;
    for address in lookup_host((host, port)).await? {
        let connected = match bind {
            Some(from) if from.is_ipv4() == address.is_ipv4() => connect_from(from, address).await,
            _ => TcpStream::connect(address).await,
        };
        match connected {
            Ok(stream) => return Ok(stream),
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(|| std::io::Error::other("its name leads to no address")))
}

async fn connect_from(from: IpAddr, to: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = if to.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    socket.bind(SocketAddr::new(from, 0))?;
    socket.connect(to).await
}
