//! What one receiver has not yet been told: of each thing the newest alone, in the order in which it came, and never more than a few dozen. Pure.

use std::collections::VecDeque;

use crate::report::notify::News;

/// What waits.
#[derive(Debug, Default)]
pub(super) struct Queue(VecDeque<News>);

impl Queue {
    /// Adds, in place of what is older of the same thing. True: something was given up for it.
    pub(super) fn push(&mut self, news: News) -> bool {
        // Alerts are kept by their labels, of which the severity is one.
        if let Some(older) =
            self.0.iter_mut().find(|older| older.key == news.key && (older.severity == news.severity || !news.silent && !older.silent))
        {
            *older = news;
            return false;
        }
        let full = self.0.len() >= MOST;
        if full {
            self.0.pop_front();
        }
        self.0.push_back(news);
        full
    }

    /// Takes the first `most`.
    pub(super) fn take(&mut self, most: usize) -> Vec<News> {
        let most = most.min(self.0.len());
        self.0.drain(..most).collect()
    }

    /// Puts back what could not be told, unless something newer of the same waits by now. Gives how many were given up.
    pub(super) fn put_back(&mut self, news: Vec<News>) -> u64 {
        let mut given_up = 0;
        for news in news.into_iter().rev() {
            if self.0.iter().any(|newer| newer.key == news.key && newer.severity == news.severity) {
                continue;
            }
            if self.0.len() >= MOST {
                given_up += 1;
            } else {
                self.0.push_front(news);
            }
        }
        given_up
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Far more than can be wrong at once.
pub(super) const MOST: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clock, report::notify::State};

    fn news(key: &str, state: State) -> News {
        News { key: key.into(), state, ..News::test(clock::wall()) }
    }

    #[test]
    fn the_newest_of_one_thing_takes_the_place_of_the_older() {
        let mut queue = Queue::default();
        for (key, state) in [("a", State::Firing), ("b", State::Firing), ("a", State::Resolved)] {
            assert!(!queue.push(news(key, state)));
        }
        let waiting: Vec<_> = queue.take(9).into_iter().map(|news| (news.key, news.state)).collect();
        assert_eq!(waiting, [("a".to_owned(), State::Resolved), ("b".to_owned(), State::Firing)]);
    }

    #[test]
    fn what_could_not_be_told_comes_first_again_unless_it_is_overtaken() {
        let mut queue = Queue::default();
        queue.push(news("a", State::Firing));
        queue.push(news("b", State::Firing));
        let first = queue.take(1);
        queue.push(news("a", State::Resolved));
        assert_eq!(queue.put_back(first), 0);
        let waiting: Vec<_> = queue.take(9).into_iter().map(|news| (news.key, news.state)).collect();
        assert_eq!(waiting, [("b".to_owned(), State::Firing), ("a".to_owned(), State::Resolved)]);
    }

    #[test]
    fn a_full_queue_gives_up_the_oldest_and_says_so() {
        let mut queue = Queue::default();
        let given_up = (0..MOST + 3).filter(|n| queue.push(news(&n.to_string(), State::Firing))).count();
        assert_eq!((given_up, queue.take(1000).len()), (3, MOST));
    }
}
