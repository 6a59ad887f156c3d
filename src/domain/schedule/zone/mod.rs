//! Time zones, the only place that touches the calendar library's zone database.
//!
//! A zone is turned into a row of stretches with one offset each when it is first named, and kept for the
//! life of the process: so what a schedule means does not change under a running sidecar, and finding a fire
//! needs no library call.

mod data;
mod stretches;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

pub use data::{ZoneData, zone_data};
pub(super) use stretches::Stretch;
use stretches::Stretches;

use super::local::LocalMinute;
use crate::domain::time::Timestamp;

/// A time zone of the IANA database. Cloning it is cheap; two are equal if their names are.
#[derive(Clone)]
pub struct Zone(Arc<Known>);

struct Known {
    name: String,
    stretches: Stretches,
}

/// There is no such time zone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no time zone `{}`; name one of the IANA database, such as `Europe/Berlin` or `UTC`", self.shown())]
pub struct UnknownZone {
    /// The name as it was asked for.
    pub name: String,
}

impl UnknownZone {
    /// The name, made fit for one line of a message.
    fn shown(&self) -> String {
        self.name.chars().take(60).flat_map(char::escape_debug).collect()
    }
}

impl Zone {
    /// The zone with this IANA name, in any case; it is kept in the database's spelling. An alias such as
    /// `US/Eastern` stays the alias.
    ///
    /// # Errors
    ///
    /// Anything else: an empty text, a path, a POSIX rule such as `EST5EDT,M3.2.0,M11.1.0`, an abbreviation.
    pub fn named(name: &str) -> Result<Zone, UnknownZone> {
        // Only names of the database get in, so this is bounded by their number, some six hundred.
        static KNOWN: Mutex<BTreeMap<String, Zone>> = Mutex::new(BTreeMap::new());

        let unknown = || UnknownZone { name: name.to_owned() };
        if !data::could_be_a_name(name) {
            return Err(unknown());
        }
        let key = name.to_ascii_lowercase();
        if let Some(zone) = KNOWN.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(zone.clone());
        }
        let (name, time_zone) = data::find(name).ok_or_else(unknown)?;
        let zone = Zone(Arc::new(Known { name, stretches: Stretches::of(&time_zone) }));
        KNOWN.lock().unwrap_or_else(PoisonError::into_inner).insert(key, zone.clone());
        Ok(zone)
    }

    /// Coordinated Universal Time.
    pub fn utc() -> Zone {
        static UTC: LazyLock<Zone> = LazyLock::new(|| {
            Zone(Arc::new(Known { name: "UTC".to_owned(), stretches: Stretches::without_changes() }))
        });
        UTC.clone()
    }

    /// The zone this machine is set to, or UTC if it has none with an IANA name.
    pub fn machine() -> Zone {
        Zone::of_machine().clone()
    }

    /// The name of [`Zone::machine`].
    pub fn machine_name() -> &'static str {
        Zone::of_machine().name()
    }

    /// Found when it is first asked for, because that lists the machine's database, and kept for the life of the process.
    fn of_machine() -> &'static Zone {
        static MACHINE: LazyLock<Zone> = LazyLock::new(|| {
            let system = jiff::tz::TimeZone::system();
            system.iana_name().and_then(|name| Zone::named(name).ok()).unwrap_or_else(Zone::utc)
        });
        &MACHINE
    }

    /// Whether this machine is set to a zone with an IANA name. If not, [`Zone::machine`] takes UTC.
    pub fn machine_has_a_name() -> bool {
        jiff::tz::TimeZone::system().iana_name().is_some_and(|name| Zone::named(name).is_ok())
    }

    /// The name in the spelling of the database.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// An instant as people of this zone write it, to the minute, with the name of the zone.
    pub fn written(&self, at: Timestamp) -> String {
        format!("{} ({})", LocalMinute::of(self, at), self.name())
    }

    /// The stretch that this instant lies in, a whole number of minutes since the Unix epoch.
    pub(super) fn stretch_at(&self, minute: i64) -> Stretch {
        self.0.stretches.at(minute)
    }
}

impl PartialEq for Zone {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for Zone {}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Zone").field(&self.name()).finish()
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kept_in_the_spelling_of_the_database() {
        for (asked, kept) in [
            ("America/New_York", "America/New_York"),
            ("america/new_york", "America/New_York"),
            ("EUROPE/BERLIN", "Europe/Berlin"),
            ("us/eastern", "US/Eastern"),
            ("utc", "UTC"),
            ("Etc/GMT+5", "Etc/GMT+5"),
            ("est5edt", "EST5EDT"),
            ("America/Argentina/ComodRivadavia", "America/Argentina/ComodRivadavia"),
        ] {
            assert_eq!(Zone::named(asked).unwrap().name(), kept);
            assert_eq!(Zone::named(asked).unwrap(), Zone::named(kept).unwrap());
        }
    }

    #[test]
    fn what_is_no_iana_name_is_refused() {
        for name in [
            "",
            " ",
            "America/New York",
            " UTC",
            "UTC ",
            "UTC\n",
            "UTC\0",
            "EST5EDT,M3.2.0,M11.1.0",
            "<-03>3",
            ":America/New_York",
            "+02:00",
            "UTC+2",
            "CEST",
            "/usr/share/zoneinfo/Europe/Berlin",
            "../zoneinfo/Europe/Berlin",
            "Europe/../Europe/Berlin",
            "Europe//Berlin",
            "Europe/",
            "Europe",
            "posix/Europe/Berlin",
            "right/Europe/Berlin",
            "localtime",
            "posixrules",
            "Factory",
            "Etc/Unknown",
            "tzdata.zi",
            "zone.tab",
            "Europe/K\u{f6}ln",
        ] {
            let fault = Zone::named(name).unwrap_err();
            assert_eq!(fault.name, name);
            assert!(fault.to_string().contains("IANA"), "{fault}");
        }
    }

    #[test]
    fn the_machine_has_a_zone_that_can_be_stored() {
        let machine = Zone::machine();
        assert_eq!(Zone::named(machine.name()).unwrap(), machine);
    }

    #[test]
    fn utc_is_the_same_however_it_is_had() {
        assert_eq!(Zone::named("UTC").unwrap(), Zone::utc());
        assert_eq!(Zone::utc().stretch_at(0), Zone::named("UTC").unwrap().stretch_at(0));
    }
}
