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

#[cfg(test)]
mod tests {
    use tokio::{
        sync::Semaphore,
        time::{interval, sleep},
    };

    use super::*;
    use crate::report::blank::blank;

    fn listener() -> (watch::Sender<Arc<Status>>, Listener) {
        let (tell, status) = watch::channel(Arc::new(blank()));
        let place = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
        (tell, Listener { status, stop: CancellationToken::new(), lang: Lang::En, begun: false, _place: place })
    }

    #[tokio::test(start_paused = true)]
    async fn news_come_at_once_then_once_a_second_at_the_most() {
        let (tell, mut listener) = listener();
        let begun = clock::tick();
        assert!(listener.next().await.is_some());
        assert_eq!(clock::tick() - begun, Duration::ZERO);
        let often = async {
            let mut ticks = interval(Duration::from_millis(10));
            loop {
                ticks.tick().await;
                tell.send_replace(Arc::new(blank()));
            }
        };
        let mut heard = 0;
        let hear = async {
            while listener.next().await.is_some() {
                heard += 1;
            }
        };
        tokio::select! {
            () = often => {}
            () = hear => {}
            () = sleep(Duration::from_millis(5_500)) => {}
        }
        assert_eq!(heard, 5);
    }

    #[tokio::test(start_paused = true)]
    async fn a_listener_hears_something_also_where_nothing_happens_and_is_let_go_at_the_end() {
        let (_tell, mut listener) = listener();
        listener.next().await;
        let begun = clock::tick();
        assert!(listener.next().await.is_some());
        assert_eq!(clock::tick() - begun, PACE + BEAT);
        let stop = listener.stop.clone();
        tokio::join!(
            async {
                sleep(Duration::from_millis(100)).await;
                stop.cancel();
            },
            async { assert!(listener.next().await.is_none()) }
        );
        assert_eq!(clock::tick() - begun, PACE + BEAT + Duration::from_millis(100));
    }
}
