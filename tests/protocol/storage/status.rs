//! `scheduler/status` while all is well.

use serde_json::{Value, json};

use super::status;
use crate::support::drafts::{dormant, once, shell};
use crate::support::{Place, eventually, wall_ms};

#[test]
fn two_windows_tell_the_same_about_who_rings_and_who_is_there() {
    let place = Place::new();
    let mut first = place.open();
    let at = wall_ms() + 3_600_000;
    first.create(once("first due", at, shell("true")));
    first.create(dormant("later", shell("true")));
    let mut second = place.open();
    let mut seen = status(&mut first);
    let instance = |client: &crate::support::client::Client| client.opened["instanceID"].clone();
    let owner = &seen["owner"];
    assert_eq!((&owner["instanceID"], &owner["pid"]), (&instance(&first), &json!(first.pid())), "{seen}");
    assert_eq!((&owner["client"], &owner["term"]), (&json!("test"), &json!(1)));
    assert!(owner["since"].as_i64().is_some_and(|since| since <= wall_ms()));
    assert_eq!((&seen["nextFireAt"], &seen["suspended"]), (&json!(at), &json!([])));
    assert_eq!((&seen["health"], &seen["reasons"]), (&json!("ok"), &json!([])));
    let there: Vec<(&Value, &Value)> =
        seen["instances"].as_array().unwrap().iter().map(|one| (&one["id"], &one["pid"])).collect();
    assert_eq!(there, [(&instance(&first), &json!(first.pid())), (&instance(&second), &json!(second.pid()))]);
    for one in seen["instances"].as_array().unwrap() {
        let members: Vec<&String> = one.as_object().unwrap().keys().collect();
        assert_eq!(members, ["client", "id", "pid", "role", "since"]);
        assert_eq!(one["role"], "participant");
    }
    assert_eq!(seen["isOwner"], true);
    seen["isOwner"] = json!(false);
    assert_eq!(status(&mut second), seen);
    assert_eq!(
        second.refusal("scheduler/status", json!({"id": 1}))["data"]["details"][0]["field"],
        "id",
        "it takes no parameters"
    );
    first.finish();
    let seen = eventually("the other one rings", || {
        let seen = status(&mut second);
        (seen["isOwner"] == true).then_some(seen)
    });
    assert_eq!((&seen["owner"]["term"], &seen["instances"].as_array().map(Vec::len)), (&json!(2), &Some(1)));
    second.finish();
}
