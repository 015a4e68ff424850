//! Bundles of Cog in real rooms: what their programs know of a room, and where they post.

use super::person::Person;
use super::site::Site;

#[tokio::test]
async fn a_program_of_cog_knows_its_room_and_posts_to_others() {
    let site = Site::with(&["alice", "bob"]).await;
    site.users(&["alice", "bob"]);
    for bundle in ["tell", "crier"] {
        site.home.setup(&[&format!("bundle install tests/cog/{bundle}"), &format!("bundle enable {bundle}")]);
    }
    site.home.setup(&[
        "group create criers",
        "group add criers alice",
        "role create crier",
        "role grant crier room:post",
        "role give crier criers",
    ]);
    let _shell = site.serve().await;
    let port = site.server.port;
    let people = [Person::login(port, "alice", "alicepw", "#ops"), Person::login(port, "bob", "bobpw", "#other")];
    let [mut alice, mut bob] = people.map(Person::arrived);
    alice.rename("al");
    assert_eq!(alice.ask("!tell:env | get body[2]"), "COG_CHAT_HANDLE=al");
    assert_eq!(alice.ask("!tell:env | get body[5]"), "COG_ROOM=ops");
    assert_eq!(alice.whisper("tell:env | get body[5]"), "COG_ROOM=direct");
    assert_eq!(alice.ask("!say template"), "hello ada");
    // the other room hears what was posted, and the room of the line only its answer
    assert_eq!(alice.ask("!crier:cry '#other' 'over here'"), "(nothing came out)");
    assert_eq!(bob.hears_in("#other"), "over here");
    let said = bob.ask("!crier:cry '#ops' 'over there'");
    assert!(said.contains("403: bob may not post to #ops: it takes room:post"), "{said}");
    assert_eq!(alice.ask("!echo quiet"), "quiet");
}
