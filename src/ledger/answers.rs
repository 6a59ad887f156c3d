//! Answers of people that the windows which carry out the runs have not been handed yet.

use rusqlite::Row;

use super::column::{Columns, Tx, View, to_json};
use super::error::LedgerError;
use crate::domain::provider::Answer;

/// An answer that is to be handed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingAnswer {
    /// Its place.
    pub row: i64,
    /// What was answered.
    pub answer: Answer,
}

fn from_row(row: &Row<'_>) -> Result<PendingAnswer, LedgerError> {
    let mut columns = Columns::of(row);
    Ok(PendingAnswer { row: columns.take()?, answer: columns.json("answers.answer")? })
}

impl View<'_> {
    /// What was answered to a run and is still to be handed over, oldest first.
    pub fn answers_to(&self, run: i64) -> Result<Vec<PendingAnswer>, LedgerError> {
        let sql = "SELECT row, answer FROM answers WHERE run = ?1 ORDER BY row";
        self.readable_by(from_row, sql, vec![run.into()])
    }
}

impl Tx<'_> {
    /// An answer is to be handed over to whoever carries the run out.
    pub fn insert_answer(&self, run: i64, answer: &Answer) -> Result<(), LedgerError> {
        self.execute("INSERT INTO answers (run, answer) VALUES (?1, ?2)", (run, to_json(answer)?))?;
        Ok(())
    }

    /// An answer was handed over. One that is not there any more is none of it.
    pub fn delete_answer(&self, row: i64) -> Result<(), LedgerError> {
        self.execute("DELETE FROM answers WHERE row = ?1", [row])?;
        Ok(())
    }
}
