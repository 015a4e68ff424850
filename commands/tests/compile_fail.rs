//! The one door, kept shut by the compiler: a command's code runs through a judged call only. Each file below tries a way
//! around, and must not compile; what the compiler says is kept beside it.

#[test]
fn there_is_no_way_around_a_judged_call() {
    trybuild::TestCases::new().compile_fail("tests/compile_fail/*.rs");
}
