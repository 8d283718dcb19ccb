//! A transport that tells the driver every payload, in order, and otherwise passes it on.

use std::future::Future;
use std::pin::Pin;

use ocpp_client::{TransportError, TransportEvent, TransportSink, TransportStream};
use serde_json::json;
use tokio::sync::watch;

type Pending<'a, T> = Pin<Box<dyn Future<Output = Result<T, TransportError>> + Send + 'a>>;

struct TapedSink {
    inner: Box<dyn TransportSink>,
    answers: watch::Sender<usize>,
}
struct TapedStream(Box<dyn TransportStream>);

/// The sink, and how many answers have left through it.
pub(crate) fn sink(
    inner: Box<dyn TransportSink>,
) -> (Box<dyn TransportSink>, watch::Receiver<usize>) {
    let (answers, sent) = watch::channel(0);
    (Box::new(TapedSink { inner, answers }), sent)
}

pub(crate) fn stream(inner: Box<dyn TransportStream>) -> Box<dyn TransportStream> {
    Box::new(TapedStream(inner))
}

impl TransportSink for TapedSink {
    fn send<'a>(&'a mut self, frame: String) -> Pending<'a, ()> {
        println!("{}", json!({ "sent": frame }));
        let is_answer = frame.starts_with("[3") || frame.starts_with("[4");
        Box::pin(async move {
            self.inner.send(frame).await?;
            self.answers
                .send_modify(|sent| *sent += usize::from(is_answer));
            Ok(())
        })
    }

    fn ping<'a>(&'a mut self, payload: Vec<u8>) -> Pending<'a, ()> {
        self.inner.ping(payload)
    }

    fn pong<'a>(&'a mut self, payload: Vec<u8>) -> Pending<'a, ()> {
        self.inner.pong(payload)
    }

    fn close<'a>(&'a mut self) -> Pending<'a, ()> {
        self.inner.close()
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
