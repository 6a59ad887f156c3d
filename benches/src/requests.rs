//! Requests that are framed before anything is measured, and the two ways to send them.

use std::io;
use std::time::Instant;

use serde_json::Value;

use crate::client::Client;
use crate::clock::{ms_since, now};
use crate::framing::frame;
use crate::{broken, spread};

/// How many requests an eager client has in flight.
pub(crate) const IN_FLIGHT: usize = 64;

/// Framed requests, one after the other.
pub(crate) struct Requests {
    bytes: Vec<u8>,
    /// Where each ends.
    ends: Vec<usize>,
    /// No answer is shorter, unless it is a refusal.
    least_answer: usize,
}

impl Requests {
    /// One request of a method for each of these parameters. Answers have at least so many bytes.
    pub(crate) fn of<'a>(
        client: &mut Client,
        method: &str,
        params: impl IntoIterator<Item = &'a Value>,
        least_answer: usize,
    ) -> Requests {
        let (mut bytes, mut ends) = (Vec::new(), Vec::new());
        for params in params {
            let id = client.next_id();
            // Written by hand, so that what is sent is the same for every server to the byte.
            let request = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{params}}}"#);
            frame(&request, &mut bytes);
            ends.push(bytes.len());
        }
        Requests { bytes, ends, least_answer }
    }

    fn slice(&self, from: usize, to: usize) -> &[u8] {
        let begin = if from == 0 { 0 } else { self.ends[from - 1] };
        &self.bytes[begin..self.ends[to - 1]]
    }

    /// Sends all with [`IN_FLIGHT`] in flight, and gives how many were answered per second.
    ///
    /// One thread does it: as many requests are written as answers were read, so nobody waits for another thread
    /// of the client, and neither pipe can fill up.
    pub(crate) fn in_flight(&self, client: &mut Client) -> io::Result<f64> {
        let all = self.ends.len();
        let (mut sent, mut answered) = (IN_FLIGHT.min(all), 0);
        let begin = now();
        client.write(self.slice(0, sent))?;
        while answered < all {
            let mut count = 0;
            let mut least = usize::MAX;
            client.read_once(|answer| {
                count += 1;
                least = least.min(answer.len());
            })?;
            self.check(least)?;
            answered += count;
            let more = count.min(all - sent);
            if more > 0 {
                client.write(self.slice(sent, sent + more))?;
                sent += more;
            }
        }
        Ok(per_second(all, begin))
    }

    /// Sends each when the one before has been answered, and gives how long each took, in milliseconds, and how
    /// many were answered per second.
    pub(crate) fn one_by_one(&self, client: &mut Client) -> io::Result<OneByOne> {
        let mut took = Vec::with_capacity(self.ends.len());
        let all = now();
        for index in 0..self.ends.len() {
            let begin = now();
            client.write(self.slice(index, index + 1))?;
            let mut length = 0;
            while length == 0 {
                client.read_once(|answer| length = answer.len())?;
            }
            took.push(ms_since(begin));
            self.check(length)?;
        }
        let per_second = per_second(self.ends.len(), all);
        took.sort_unstable_by(f64::total_cmp);
        Ok(OneByOne { p50: spread::quantile(&took, 0.5), p99: spread::quantile(&took, 0.99), per_second })
    }

    fn check(&self, answer: usize) -> io::Result<()> {
        match answer < self.least_answer {
            true => Err(broken(format!("an answer of {answer} bytes is too short to be one that grants"))),
            false => Ok(()),
        }
    }
}

/// What requests one by one took.
pub(crate) struct OneByOne {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) per_second: f64,
}

fn per_second(count: usize, begin: Instant) -> f64 {
    count as f64 / begin.elapsed().as_secs_f64()
}
