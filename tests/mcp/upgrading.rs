//! The binary is upgraded while an agent talks to the tools.

use serde_json::json;

use super::host::{Host, mcp_of};
use crate::support::{Place, program};

#[test]
fn the_project_is_opened_after_the_binary_has_gone_or_was_replaced() {
    let place = Place::new();
    let binary = place.beside("sexton");
    let install = || program::copy(env!("CARGO_BIN_EXE_sexton"), &binary);
    install();
    let (gone, replaced) = (Host::of(mcp_of(&place, &binary)), Host::of(mcp_of(&place, &binary)));
    // Nothing of the project was opened yet; what opens it is started now.
    std::fs::remove_file(&binary).unwrap();
    gone.manage(json!({"action": "list"})).says("no automations");
    install();
    replaced.manage(json!({"action": "list"})).says("no automations");
    gone.finish();
    replaced.finish();
}
