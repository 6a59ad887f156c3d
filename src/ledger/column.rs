//! Transactions, and how values become columns and come back.

use std::ops::Deref;

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, Value, ValueRef};
use rusqlite::{Connection, Row, Rows};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use super::error::{LedgerError, Writer};
use crate::domain::sent::INTEGER_MAX;
use crate::domain::time::Timestamp;

/// The most that anything has been counted to: there is always a next number that every client can read exactly.
pub(super) const COUNTED_MAX: i64 = INTEGER_MAX - 1;

/// How a row becomes what it stands for.
type FromRow<T> = fn(&Row<'_>) -> Result<T, LedgerError>;

/// A consistent look at the rows.
pub struct View<'c> {
    pub(super) connection: &'c Connection,
}

/// An open write transaction. It sees what every other window has committed, and nobody sees what it writes
/// before it is committed.
pub struct Tx<'c> {
    view: View<'c>,
}

impl<'c> View<'c> {
    pub(super) fn new(connection: &'c Connection) -> Self {
        View { connection }
    }

    /// All rows that a query finds and that this version understands. One that it does not understand concerns
    /// nobody else, so it is left out; who asks for it by name is told.
    pub(super) fn readable_by<T>(
        &self,
        from_row: FromRow<T>,
        sql: &str,
        params: Vec<Value>,
    ) -> Result<Vec<T>, LedgerError> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(rusqlite::params_from_iter(params))?;
        std::iter::from_fn(|| next_readable(from_row, &mut rows).transpose()).collect()
    }

    /// The first so many of them: one that is left out makes room for the next, so that a page that is not full is
    /// the last one. The rows after them are not looked at.
    pub(super) fn readable_page_by<T>(
        &self,
        from_row: FromRow<T>,
        sql: &str,
        params: Vec<Value>,
        most: usize,
    ) -> Result<Vec<T>, LedgerError> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(rusqlite::params_from_iter(params))?;
        std::iter::from_fn(|| next_readable(from_row, &mut rows).transpose()).take(most).collect()
    }

    /// The first of them. The rows after it are not looked at.
    pub(super) fn first_readable_by<T>(
        &self,
        from_row: FromRow<T>,
        sql: &str,
        params: Vec<Value>,
    ) -> Result<Option<T>, LedgerError> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(rusqlite::params_from_iter(params))?;
        next_readable(from_row, &mut rows)
    }

    /// The texts in the first column of all rows that a query finds. What is none there is left out: nothing that is
    /// looked for by its name is called so.
    pub(super) fn texts_by(&self, sql: &str, params: Vec<Value>) -> Result<Vec<String>, LedgerError> {
        self.readable_by(first_text, sql, params)
    }

    /// The first of them. The rows after it are not looked at.
    pub(super) fn first_text_by(&self, sql: &str, params: Vec<Value>) -> Result<Option<String>, LedgerError> {
        self.first_readable_by(first_text, sql, params)
    }

    /// The one row that a query finds.
    pub(super) fn one_by<T>(
        &self,
        from_row: FromRow<T>,
        sql: &str,
        params: Vec<Value>,
    ) -> Result<Option<T>, LedgerError> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(rusqlite::params_from_iter(params))?;
        rows.next()?.map(from_row).transpose()
    }
}

impl<'c> Tx<'c> {
    /// Whoever makes one has begun a transaction on this connection.
    pub fn new(connection: &'c Connection) -> Self {
        Tx { view: View::new(connection) }
    }

    /// Does something that leaves no trace if it fails, while the transaction goes on.
    ///
    /// # Errors
    /// When the database fails, which ends the transaction. What was to be done fails inside.
    pub fn savepoint<T, E>(
        &self,
        attempt: impl FnOnce() -> Result<T, E>,
    ) -> Result<Result<T, E>, LedgerError> {
        self.execute("SAVEPOINT attempt", [])?;
        let outcome = attempt();
        if outcome.is_err() {
            self.execute("ROLLBACK TO attempt", [])?;
        }
        self.execute("RELEASE attempt", [])?;
        Ok(outcome)
    }

    pub(super) fn execute(&self, sql: &str, params: impl rusqlite::Params) -> Result<usize, LedgerError> {
        Ok(self.connection.prepare_cached(sql)?.execute(params)?)
    }
}

impl<'c> Deref for Tx<'c> {
    type Target = View<'c>;

    fn deref(&self) -> &View<'c> {
        &self.view
    }
}

fn first_text(row: &Row<'_>) -> Result<String, LedgerError> {
    Ok(row.get(0)?)
}

/// Goes on to the next row that this version understands.
fn next_readable<T>(from_row: FromRow<T>, rows: &mut Rows<'_>) -> Result<Option<T>, LedgerError> {
    while let Some(row) = rows.next()? {
        match from_row(row) {
            Err(LedgerError::Unreadable { .. }) => {}
            read => return read.map(Some),
        }
    }
    Ok(None)
}

/// A text, as far as its bytes are one: what is told of a row does not end with its name.
pub(super) struct Legible(pub(super) String);

impl FromSql for Legible {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Ok(Legible(String::from_utf8_lossy(value.as_bytes()?).into_owned()))
    }
}

impl FromSql for Timestamp {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let millis = value.as_i64()?;
        Timestamp::try_from(millis).map_err(|_| FromSqlError::OutOfRange(millis))
    }
}

/// Reads the columns of a row one after the other.
pub(super) struct Columns<'r, 's> {
    row: &'r Row<'s>,
    next: usize,
}

impl<'r, 's> Columns<'r, 's> {
    pub(super) fn of(row: &'r Row<'s>) -> Self {
        Columns { row, next: 0 }
    }

    pub(super) fn take<T: FromSql>(&mut self) -> Result<T, rusqlite::Error> {
        let value = self.row.get(self.next)?;
        self.next += 1;
        Ok(value)
    }

    /// A column that holds how often something happened, or where something stands in a row of its kind. A number that
    /// nothing can have counted to is not understood.
    pub(super) fn count(&mut self, column: &'static str) -> Result<i64, LedgerError> {
        let number = self.take()?;
        counted(column, number)
    }

    /// The same, or nothing.
    pub(super) fn count_or_null(&mut self, column: &'static str) -> Result<Option<i64>, LedgerError> {
        let number: Option<i64> = self.take()?;
        number.map(|number| counted(column, number)).transpose()
    }

    /// A column that holds a yes or a no. What is neither is not understood: conditions of queries take it for a no, and
    /// whoever reads a number for one takes it for a yes.
    pub(super) fn flag(&mut self, column: &'static str) -> Result<bool, LedgerError> {
        match self.take()? {
            0 => Ok(false),
            1 => Ok(true),
            number => Err(impossible(column, number, "neither a yes nor a no")),
        }
    }

    /// A column that holds a time which is only told or compared: one that cannot be is the nearest that can.
    pub(super) fn instant(&mut self) -> Result<Timestamp, rusqlite::Error> {
        self.take().map(Timestamp::from_millis)
    }

    /// The same, or nothing.
    pub(super) fn instant_or_null(&mut self) -> Result<Option<Timestamp>, rusqlite::Error> {
        Ok(self.take::<Option<i64>>()?.map(Timestamp::from_millis))
    }

    /// A column that holds text; an empty one if its bytes are none.
    pub(super) fn text_or_nothing(&mut self) -> Result<String, rusqlite::Error> {
        let bytes = self.row.get_ref(self.next)?.as_bytes().unwrap_or_default();
        self.next += 1;
        Ok(std::str::from_utf8(bytes).unwrap_or_default().to_owned())
    }

    /// A column that holds JSON.
    pub(super) fn json<T: DeserializeOwned>(&mut self, column: &'static str) -> Result<T, LedgerError> {
        let text: String = self.take()?;
        from_json(column, &text)
    }

    /// A column that holds JSON or nothing.
    pub(super) fn json_or_null<T: DeserializeOwned>(
        &mut self,
        column: &'static str,
    ) -> Result<Option<T>, LedgerError> {
        let text: Option<String> = self.take()?;
        text.map(|text| from_json(column, &text)).transpose()
    }

    /// A column that holds a word of one of our enums.
    pub(super) fn word<T: DeserializeOwned>(&mut self, column: &'static str) -> Result<T, LedgerError> {
        let text: String = self.take()?;
        from_word(column, text)
    }

    /// A column that holds a word or nothing.
    pub(super) fn word_or_null<T: DeserializeOwned>(
        &mut self,
        column: &'static str,
    ) -> Result<Option<T>, LedgerError> {
        let text: Option<String> = self.take()?;
        text.map(|text| from_word(column, text)).transpose()
    }
}

/// The condition that something can have counted to what a column holds, in SQL.
pub(super) fn is_counted(column: &str) -> String {
    format!("{column} BETWEEN 0 AND {COUNTED_MAX}")
}

/// What a column is that holds a time, or nothing, when that is moved by the parameter `by`, in SQL. What is no time stays
/// as it is: a sum that is no number any more would keep all other rows from being moved.
pub(super) fn moved(column: &str, by: &str) -> String {
    format!("iif({column} BETWEEN -{INTEGER_MAX} AND {INTEGER_MAX}, {column} + {by}, {column})")
}

/// The member at `path` of a column that holds JSON, in SQL: NULL where it holds none. The operators of SQLite fail
/// there, and with them every query that meets the row, whosever it is. Not needed where a condition or an index of the
/// query has read the column before: what is no JSON cannot be written into those.
pub(super) fn member(column: &str, path: &str) -> String {
    format!("CASE WHEN json_valid({column}) THEN {column} ->> '{path}' END")
}

pub(super) fn to_json<T: Serialize>(value: &T) -> Result<String, LedgerError> {
    serde_json::to_string(value).map_err(|error| LedgerError::Broken(error.to_string()))
}

pub(super) fn to_json_or_null<T: Serialize>(value: Option<&T>) -> Result<Option<String>, LedgerError> {
    value.map(to_json).transpose()
}

/// The word that a plain enum is written as.
pub(super) fn to_word<T: Serialize>(value: &T) -> Result<String, LedgerError> {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => Ok(word),
        Ok(other) => Err(LedgerError::Broken(format!("{other} is not a word"))),
        Err(error) => Err(LedgerError::Broken(error.to_string())),
    }
}

fn counted(column: &'static str, number: i64) -> Result<i64, LedgerError> {
    match (0..=COUNTED_MAX).contains(&number) {
        true => Ok(number),
        false => Err(impossible(column, number, "nothing has been counted to it")),
    }
}

/// Says what is wrong with a number that no version has written.
fn impossible(column: &'static str, number: i64, why: &str) -> LedgerError {
    LedgerError::Unreadable { column, found: number.to_string(), why: why.to_owned(), by: Writer::Nobody }
}

pub(super) fn from_json<T: DeserializeOwned>(column: &'static str, text: &str) -> Result<T, LedgerError> {
    serde_json::from_str(text).map_err(|error| unreadable(column, text, &error))
}

fn from_word<T: DeserializeOwned>(column: &'static str, word: String) -> Result<T, LedgerError> {
    let found = word.clone();
    serde_json::from_value(serde_json::Value::String(word))
        .map_err(|error| unreadable(column, &found, &error))
}

/// Says where the trouble is without repeating what may be secret.
fn unreadable(column: &'static str, text: &str, error: &serde_json::Error) -> LedgerError {
    let found = text.chars().take(16).collect();
    let by = match error.classify() {
        Category::Data => Writer::LaterVersion,
        Category::Io | Category::Syntax | Category::Eof => Writer::Nobody,
    };
    LedgerError::Unreadable {
        column,
        found,
        why: format!("{:?} at {}", error.classify(), error.column()),
        by,
    }
}
