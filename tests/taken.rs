//! What was taken away stays away: rights of a line that runs on, memberships, what a deleted user had.
//!
//! Deliberately absent: rights at the start of a line (`access.rs`).
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

use std::time::Duration;

#[path = "support/home.rs"]
mod home;

use home::{Home, field};

#[test]
fn deleting_one_thing_brings_back_no_other_that_the_line_took() {
    let home = Home::new();
    home.setup(&[
        "user create alice && user create mallory && group create ops && group add ops alice && group add ops mallory",
        "role create r && role grant r room:post && role give r ops",
        "group remove ops mallory && user delete alice",
    ]);
    assert_eq!(home.values("group list | get users | count")[0], 1);
    assert_eq!(home.values("group list | get users")[0], serde_json::json!([]));
    home.setup(&["role revoke r room:post && group delete ops"]);
    let role = &home.values("role list")[0];
    assert_eq!((&role["permissions"], &role["groups"]), (&serde_json::json!([]), &serde_json::json!([])));
    // what the line itself added goes too
    home.setup(&["user create bob && group create g", "group add g bob && user delete bob"]);
    assert_eq!(home.values("group list | get users")[0], serde_json::json!([]));
}

#[test]
fn an_account_is_linked_once_within_a_line_too() {
    let home = Home::new();
    home.setup(&["user create a && user create b"]);
    home.run("user link a irc://n/x && user link b irc://n/x").fails(1, "irc://n/x is a already");
}

#[test]
fn a_new_user_has_nothing_of_an_old_one_of_that_name() {
    let home = Home::new();
    home.setup(&["user create bob && user create bobby"]);
    for user in ["bob", "bobby"] {
        home.run_as(user, "my secret = hunter2 && alias greet = 'echo hello'").well();
        home.run_as(user, "list 1 2 | tee mine").well();
    }
    home.setup(&["echo hi > @bob && echo hi > @bobby"]);
    home.setup(&["user delete bob && user create bob"]);
    home.run_as("bob", "my secret").fails(1, "there is no note secret");
    home.run_as("bob", "cat mine").fails(1, "nothing is kept as mine");
    home.run_as("bob", "greet").fails(2, "there is no command greet");
    assert!(home.values("room read @bob").is_empty());
    assert_eq!(home.run_as("bobby", "my secret && cat mine && greet").well(), "hunter2\n1\n2\nhello");
    assert_eq!(home.values("room read @bobby").len(), 1);
}

#[test]
fn a_post_takes_the_right_at_its_time_and_is_written_down() {
    let home = Home::new();
    home.setup(&[
        "user create bob && group create g && group add g bob && role create r && role grant r room:post",
        "role give r g && room create '#x'",
    ]);
    home.run_as("bob", "alias quiet = 'echo hi > #x'").well();
    home.run_as("bob", "quiet && alias delete quiet").well();
    let line = home.values("audit list --user bob --count 1");
    let rows = home.values(&format!("audit show {}", field(&line[0], "id")));
    let post = rows.iter().find(|row| row["command"] == "room:post").expect("the post is in the log");
    assert_eq!((field(post, "outcome"), &post["body"]["args"]), ("allowed", &"#x".into()));
    std::thread::scope(|scope| {
        let late = scope.spawn(|| home.run_as("bob", "sleep 4 && echo late > #x"));
        std::thread::sleep(Duration::from_secs(1));
        home.setup(&["role revoke r room:post"]);
        late.join().unwrap().fails(3, "bob may not post to #x");
    });
    assert_eq!(home.values("room read #x | get text"), ["hi"]);
}
