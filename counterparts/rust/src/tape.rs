//! A transport that tells the driver every payload, in order, and otherwise passes it on.

use std::future::Future;
use std::pin::Pin;

use ocpp_client::{TransportError, TransportEvent, TransportSink, TransportStream};
use serde_json::json;

type Pending<'a, T> = Pin<Box<dyn Future<Output = Result<T, TransportError>> + Send + 'a>>;

struct TapedSink(Box<dyn TransportSink>);
struct TapedStream(Box<dyn TransportStream>);

pub(crate) fn sink(inner: Box<dyn TransportSink>) -> Box<dyn TransportSink> {
    Box::new(TapedSink(inner))
}

pub(crate) fn stream(inner: Box<dyn TransportStream>) -> Box<dyn TransportStream> {
    Box::new(TapedStream(inner))
}

impl TransportSink for TapedSink {
    fn send<'a>(&'a mut self, frame: String) -> Pending<'a, ()> {
        println!("{}", json!({ "sent": frame }));
        self.0.send(frame)
    }

    fn ping<'a>(&'a mut self, payload: Vec<u8>) -> Pending<'a, ()> {
        self.0.ping(payload)
    }

    fn pong<'a>(&'a mut self, payload: Vec<u8>) -> Pending<'a, ()> {
        self.0.pong(payload)
    }

    fn close<'a>(&'a mut self) -> Pending<'a, ()> {
        self.0.close()
    }
}

impl TransportStream for TapedStream {
    fn recv<'a>(&'a mut self) -> Pending<'a, Option<TransportEvent>> {
        Box::pin(async move {
            let event = self.0.recv().await?;
            if let Some(TransportEvent::Frame(text)) = &event {
                println!("{}", json!({ "heard": text }));
            }
            Ok(event)
        })
    }
}
