//! Reports that wait to be taken. Whoever takes them writes to disk, which may be slow or full: meanwhile the agent is not
//! read any further, and whatever is wished of it is still heard.

use std::collections::VecDeque;

use tokio::sync::mpsc;

use super::Report;
use super::bounds::REPORTS;

pub(super) struct Outbox {
    sender: mpsc::Sender<Report>,
    waiting: VecDeque<Report>,
}

impl Outbox {
    pub(super) fn new(sender: mpsc::Sender<Report>) -> Self {
        Outbox { sender, waiting: VecDeque::new() }
    }

    pub(super) fn put(&mut self, report: Report) {
        // Of two costs that nobody has seen the later says everything.
        if let (Report::Cost(_), Some(last @ Report::Cost(_))) = (&report, self.waiting.back_mut()) {
            *last = report;
        } else {
            self.waiting.push_back(report);
        }
    }

    pub(super) fn has_room(&self) -> bool {
        self.waiting.len() < REPORTS
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Hands over the first one. Can be given up without losing anything.
    pub(super) async fn hand_over(&mut self) {
        match self.sender.reserve().await {
            Ok(place) => {
                if let Some(report) = self.waiting.pop_front() {
                    place.send(report);
                }
            }
            // Nobody takes them.
            Err(_) => self.waiting.clear(),
        }
    }

    pub(super) async fn hand_over_all(&mut self) {
        while !self.is_empty() {
            self.hand_over().await;
        }
    }
}
