//! Ctrl-C and `--timeout`, in the call and while a request is followed.

use crate::stage::{QUICK, Stage, create, create_slow};

#[test]
fn ctrl_c_during_the_call_lets_it_end_and_remembers_what_it_began() {
    let stage = Stage::new(&[QUICK, "\n[faults]\nslow = 1.0\nslow_by = \"5s\"\n"]);
    let mut working = stage.start(&create_slow(&[]));
    working.says("client token ");
    working.interrupt();
    working.says("the request goes on: `ccwatch wait ");
    working.ends_with(130);
    assert_eq!(stage.count("SELECT count(*) FROM v_requests WHERE open"), 1);
}

#[test]
fn a_second_ctrl_c_ends_at_once_and_says_what_is_not_known() {
    let stage = Stage::new(&[QUICK, "\n[faults]\nslow = 1.0\nslow_by = \"10m\"\n"]);
    let mut working = stage.start(&create(&["--client-token", "deploy-1"]));
    working.says("client token ");
    working.interrupt();
    working.says("once more ends at once");
    working.interrupt();
    working.says("the same command with --client-token deploy-1");
    working.ends_with(130);
    assert_eq!(stage.count("SELECT count(*) FROM v_requests"), 0);
}

#[test]
fn ctrl_c_ends_the_following_and_not_the_request() {
    let stage = Stage::new(&[QUICK]);
    let mut working = stage.start(&create_slow(&[]));
    // It follows: signals are caught from here on.
    working.says("CREATE Acme::Test::Slow");
    working.interrupt();
    working.says("the request goes on: `ccwatch wait ");
    working.ends_with(130);
    assert_eq!(stage.count("SELECT count(*) FROM v_requests WHERE open"), 1);
}
