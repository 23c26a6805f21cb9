//! The newest status → a stream of server-sent events, each the `<main>` of the page as it is now. At most one a second, and one every few
//! seconds even where nothing happens: spans of time go on, and who hears nothing knows that the agent is gone.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::response::{
    IntoResponse, Response,
    sse::{Event, Sse},
};
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio_util::sync::CancellationToken;

use super::fragment;
use crate::{
    clock,
    diagnosis::Lang,
    report::{Status, http::Sources},
};

/// Until the listener goes away or the agent stops. `place`: one of those that there are, given back then.
pub(super) fn listen(sources: Sources, place: OwnedSemaphorePermit, lang: Lang) -> Response {
    let listener = Listener { status: sources.status, stop: sources.stop, lang, begun: false, _place: place };
    let events = futures_util::stream::unfold(listener, |mut listener| async {
        let event = listener.next().await?;
        Some((Ok::<_, Infallible>(event), listener))
    });
    // nginx before us would hold them back until there are enough.
    ([("x-accel-buffering", "no")], Sse::new(events)).into_response()
}

struct Listener {
    status: watch::Receiver<Arc<Status>>,
    stop: CancellationToken,
    lang: Lang,
    begun: bool,
    _place: OwnedSemaphorePermit,
}

impl Listener {
    /// The first at once. `None`: the agent stops.
    async fn next(&mut self) -> Option<Event> {
        if std::mem::replace(&mut self.begun, true) {
            let Listener { status, stop, .. } = self;
            let news = async {
                tokio::time::sleep(PACE).await;
                let _ = tokio::time::timeout(BEAT, status.changed()).await;
            };
            tokio::select! {
                () = stop.cancelled() => return None,
                () = news => {}
            }
        }
        let status = Arc::clone(&self.status.borrow_and_update());
        let html = fragment(&status, &status.ready_at(clock::tick()), clock::wall(), self.lang);
        Some(Event::default().retry(PACE).data(html))
    }
}

/// Between two events, and before a listener that was cut off comes back.
const PACE: Duration = Duration::from_secs(1);
/// Where nothing happens.
const BEAT: Duration = Duration::from_secs(10);
