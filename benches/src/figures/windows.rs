//! Many windows on one project, listened to by one thread.

use std::io;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde_json::{Value, json};

use super::World;
use crate::client::Client;
use crate::clock::{now, wall_ms};
use crate::place::Place;
use crate::servers::Server;

/// How many windows are open.
pub(super) const WINDOWS: usize = 16;

/// Sidecars on one project.
pub(super) struct Windows {
    clients: Vec<Client>,
}

/// Something that one window was told.
pub(super) struct Heard {
    /// Which window.
    pub(super) window: usize,
    /// When its pipe was found to have it.
    pub(super) at: Instant,
    /// The same by the wall clock.
    pub(super) at_ms: f64,
    pub(super) message: Value,
}

impl Windows {
    /// Opens [`WINDOWS`]; the first rings the bell.
    pub(super) fn open(world: &World<'_>, place: &Place) -> io::Result<Windows> {
        Windows::some(world, place, WINDOWS)
    }

    /// Opens so many; the first rings the bell.
    pub(super) fn some(world: &World<'_>, place: &Place, count: usize) -> io::Result<Windows> {
        let open = |_| Server::Sexton.open(world.tools, place);
        let clients = (0..count).map(open).collect::<io::Result<_>>()?;
        Ok(Windows { clients })
    }

    /// Has every window told of these kinds of events, from now on.
    pub(super) fn subscribe(&mut self, kinds: &[&str]) -> io::Result<()> {
        for client in &mut self.clients {
            client.ask("events/subscribe", &json!({"kinds": kinds}))?;
        }
        Ok(())
    }

    /// The window that opened first, and rings the bell while it lives.
    pub(super) fn first(&mut self) -> &mut Client {
        &mut self.clients[0]
    }

    /// One of those that are still there, by its place among them.
    pub(super) fn window(&mut self, window: usize) -> &mut Client {
        &mut self.clients[window]
    }

    /// Takes a window out, to be listened to no more. The places of those after it are one less.
    pub(super) fn take_out(&mut self, window: usize) -> Client {
        self.clients.remove(window)
    }

    /// The processes of those that are still there, in the order of their places.
    pub(super) fn pids(&self) -> impl Iterator<Item = u32> + '_ {
        self.clients.iter().map(Client::pid)
    }

    /// What came while something was asked for, and then what comes next; nothing if that takes longer than
    /// until the deadline.
    ///
    /// The time is taken when the pipes are found to have something, before any of it is read.
    pub(super) fn listen(&mut self, deadline: Instant) -> io::Result<Vec<Heard>> {
        let mut heard = Vec::new();
        let (at, at_ms) = (now(), wall_ms());
        for (window, client) in self.clients.iter_mut().enumerate() {
            let news = client.take_news();
            heard.extend(news.into_iter().map(|message| Heard { window, at, at_ms, message }));
        }
        if !heard.is_empty() {
            return Ok(heard);
        }
        // A pipe may have but a part of a message.
        while heard.is_empty() {
            let ready = self.ready(deadline.saturating_duration_since(now()))?;
            if ready.is_empty() {
                break;
            }
            let (at, at_ms) = (now(), wall_ms());
            for window in ready {
                let mut sound = Ok(());
                self.clients[window].read_once(|message| match serde_json::from_slice(message) {
                    Ok(message) => heard.push(Heard { window, at, at_ms, message }),
                    Err(error) => sound = Err(error),
                })?;
                sound?;
            }
        }
        Ok(heard)
    }

    /// The windows that have something to read, after waiting until one has.
    fn ready(&self, patience: Duration) -> io::Result<Vec<usize>> {
        let outputs: Vec<_> = self.clients.iter().map(Client::output).collect();
        let mut pipes: Vec<PollFd<'_>> =
            outputs.iter().map(|output| PollFd::new(output, PollFlags::IN)).collect();
        let patience = Timespec::try_from(patience).map_err(io::Error::other)?;
        poll(&mut pipes, Some(&patience))?;
        let ready = pipes.iter().enumerate().filter(|(_, pipe)| !pipe.revents().is_empty());
        Ok(ready.map(|(window, _)| window).collect())
    }

    pub(super) fn finish(self) -> io::Result<()> {
        self.clients.into_iter().try_for_each(Client::finish)
    }
}
