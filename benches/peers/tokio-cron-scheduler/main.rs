//! Rings timers with `tokio-cron-scheduler`.
//!
//! A line with `dueMs` sets a timer for each of these instants, which are whole seconds, and is answered by `true`; when
//! all have rung, a line says when each did. The line `"so far"` asks for that before.

use std::error::Error;
use std::io::BufRead;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use chrono::{DateTime, Utc};
use serde::Deserialize;
use tokio_cron_scheduler::{Job, JobScheduler};

/// Timers to be set.
#[derive(Deserialize)]
struct Timers {
    #[serde(rename = "dueMs")]
    due_ms: Vec<i64>,
}

/// The line that asks for what has rung.
const SO_FAR: &str = "\"so far\"";

/// When each timer rang, in milliseconds since the Unix epoch.
#[derive(Default)]
struct Rang {
    at: Vec<Option<f64>>,
    left: usize,
}

impl Rang {
    fn ring(&mut self, timer: usize) {
        if self.left > 0 && self.at[timer].is_none() {
            self.at[timer] = Some(now_ms());
            self.left -= 1;
            if self.left == 0 {
                say(&self.at);
            }
        }
    }

    fn tell_so_far(&mut self) {
        if self.left > 0 {
            self.left = 0;
            say(&self.at);
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let rang = Arc::new(Mutex::new(Rang::default()));
    let mut scheduler = None;
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        if line == SO_FAR {
            rang.lock().unwrap_or_else(PoisonError::into_inner).tell_so_far();
            continue;
        }
        let timers: Timers = serde_json::from_str(&line)?;
        if let Some(mut before) = scheduler.replace(set(&timers.due_ms, &rang).await?) {
            JobScheduler::shutdown(&mut before).await?;
        }
        say(&true);
    }
    Ok(())
}

async fn set(due_ms: &[i64], rang: &Arc<Mutex<Rang>>) -> Result<JobScheduler, Box<dyn Error + Send + Sync>> {
    *rang.lock().unwrap_or_else(PoisonError::into_inner) =
        Rang { at: vec![None; due_ms.len()], left: due_ms.len() };
    let scheduler = JobScheduler::new().await?;
    for (timer, ms) in due_ms.iter().enumerate() {
        let due: DateTime<Utc> = DateTime::from_timestamp_millis(*ms).ok_or("an instant of no year")?;
        let rang = rang.clone();
        let ring = move |_, _| rang.lock().unwrap_or_else(PoisonError::into_inner).ring(timer);
        scheduler.add(Job::new(due.format("%-S %-M %-H %-d %-m *").to_string(), ring)?).await?;
    }
    scheduler.start().await?;
    Ok(scheduler)
}

#[expect(clippy::disallowed_methods, reason = "the wall clock is what timers go by")]
fn now_ms() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64() * 1e3)
}

fn say(answer: &impl serde::Serialize) {
    println!("{}", serde_json::to_string(answer).unwrap_or_default());
}
