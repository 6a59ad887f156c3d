//! What windows let go of in a random world, and where their users work.

use sexton::domain::id::SubscriptionId;
use sexton::domain::lifecycle::{CloseKind, CloseMode};
use sexton::domain::refusal::Refusal;

use super::{Walk, expect_only_storage};
use crate::closer::PROJECT;

/// Where closes and holds are; runs work in the first two.
const DIRECTORIES: [&str; 3] = ["/project", "/worktree", "/elsewhere"];

impl Walk {
    pub(super) fn close(&mut self) {
        let Some(who) = self.someone() else { return };
        self.world.closes_fail = self.rng.one_in(6);
        // What was disposed is soon reloaded, and few windows are shut down in the middle of it.
        let kind = match self.rng.within(0..12) {
            0..7 => CloseKind::Reload,
            7..11 => CloseKind::Dispose,
            _ => CloseKind::Shutdown,
        };
        let mode = if self.rng.one_in(3) { CloseMode::Force } else { CloseMode::Maintenance };
        let directories = match (kind, self.rng.within(0..4)) {
            (CloseKind::Shutdown, _) | (_, 0 | 1) => PROJECT,
            (_, 2) => &DIRECTORIES[..2],
            _ => std::slice::from_ref(self.rng.pick(&DIRECTORIES).unwrap()),
        };
        match self.world.try_close(who, kind, mode, directories) {
            Ok(_) | Err(Refusal::Closing { .. } | Refusal::Overloaded(_) | Refusal::Storage { .. }) => {}
            Err(refusal) => panic!("a close was refused: {refusal}"),
        }
        // Sometimes it happens at once, and sometimes the window dies before it does.
        if self.rng.one_in(2) && !self.world.window(who).leaving {
            expect_only_storage(self.world.carry_out_closes(who));
        }
    }

    pub(super) fn hold(&mut self) {
        let Some(who) = self.someone() else { return };
        let directory = *self.rng.pick(&DIRECTORIES).unwrap();
        match self.world.try_hold(who, directory) {
            Ok(_) | Err(Refusal::Closing { .. } | Refusal::Storage { .. }) => {}
            Err(refusal) => panic!("a hold was refused: {refusal}"),
        }
    }

    pub(super) fn release(&mut self) {
        let Some(who) = self.someone() else { return };
        let me = self.world.window(who).actor.instance.clone();
        let holds = self.world.view().holds_of(&me).unwrap();
        let mut holds: Vec<SubscriptionId> = holds.into_iter().map(|hold| hold.id).collect();
        holds.push(SubscriptionId::from_text("sub_gone"));
        let id = self.rng.pick(&holds).cloned().unwrap();
        expect_only_storage(self.world.release(who, &id));
    }
}
