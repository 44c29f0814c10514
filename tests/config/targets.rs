//! `[[targets]]`, and the names of entries.

use crate::assert_problems;

/// Names are well formed, and each is its own.
#[test]
fn names() {
    assert_problems(
        r#"[[targets]]
regions = "eu-west-1"
[[targets]]
name = ""
regions = "eu-west-1"
[[targets]]
name = "a/b"
regions = "eu-west-1"
"#,
        r#"1:1: targets[0].name: missing; expected a name of 1 to 64 letters, digits, dots, dashes or underscores
4:8: targets[1].name: expected a name of 1 to 64 letters, digits, dots, dashes or underscores, found ""
7:8: targets[2].name: expected a name of 1 to 64 letters, digits, dots, dashes or underscores, found "a/b""#,
    );
    assert_problems(
        r#"[[targets]]
name = "prod"
regions = "us-east-1"
"#,
        r#"5:8: targets[1].name: "prod" is already the name of the entry at line 2"#,
    );
    assert_problems(
        r#"[[receivers]]
name = "log"
type = "log"
"#,
        r#"8:8: receivers[1].name: "log" is already the name of the entry at line 2"#,
    );
    assert_problems(
        r#"[[routes]]
name = "all"
to = "log"
"#,
        r#"11:8: routes[1].name: "all" is already the name of the entry at line 2"#,
    );
}

/// What is wrong with a target.
#[test]
fn targets() {
    assert_problems(
        "[[targets]]
",
        r#"1:1: targets[0].name: missing; expected a name of 1 to 64 letters, digits, dots, dashes or underscores
1:1: targets[0].regions: missing; expected Regions to look at, such as ["eu-west-1"]"#,
    );
    assert_problems(
        r#"[[targets]]
name = "a"
regions = []
"#,
        r#"3:11: targets[0].regions: expected Regions to look at, such as ["eu-west-1"], found an empty array"#,
    );
    assert_problems(
        r#"[[targets]]
name = "a"
regions = ["eu-west-1", "eu-west-1", 3, "mars"]
"#,
        r#"3:25: targets[0].regions[1]: "eu-west-1" is already named at line 3
3:38: targets[0].regions[2]: expected a Region, such as "eu-west-1", found an integer
3:41: targets[0].regions[3]: expected a Region, such as "eu-west-1", found "mars""#,
    );
    assert_problems(
        r#"[[targets]]
name = "a"
regions = "eu-west-1"
account_id = "12"
profile = ""
role_arn = "arn:aws:iam::12:role/x"
external_id = "x"
session_name = "a b"
"#,
        r#"4:14: targets[0].account_id: expected an account id of twelve digits in quotes, such as "123456789012", found "12"
5:11: targets[0].profile: expected the name of a profile of ~/.aws/config, found ""
6:12: targets[0].role_arn: expected the ARN of an IAM role, such as "arn:aws:iam::123456789012:role/ccwatch", found "arn:aws:iam::12:role/x"
7:15: targets[0].external_id: expected 2 to 1224 letters, digits or characters of _+=,.@-:/, found "x"
8:16: targets[0].session_name: expected 2 to 64 letters, digits or characters of _+=,.@-, found "a b""#,
    );
    assert_problems(
        r#"[[targets]]
name = "a"
regions = "eu-west-1"
external_id = "xyz"
session_name = "ccwatch"
"#,
        "4:15: targets[0].external_id: is of use only with role_arn, which is missing
5:16: targets[0].session_name: is of use only with role_arn, which is missing",
    );
    assert_problems(
        r#"[[targets]]
name = "a"
regions = "eu-west-1"
account_id = "210987654321"
role_arn = "arn:aws:iam::123456789012:role/x"
"#,
        "4:14: targets[0].account_id: expected 123456789012, the account of role_arn, found 210987654321",
    );
    assert_problems(
        r#"[[targets]]
name = "a"
regions = "eu-west-1"
endpoint_url = "localhost:4599"
[[targets]]
name = "b"
regions = "eu-west-1"
endpoint_url = "https://ada:hunter2@example.com"
[[targets]]
name = "c"
regions = "eu-west-1"
endpoint_url = "https://example.com/?a=b"
"#,
        "4:16: targets[0].endpoint_url: expected an http or https URL of an endpoint, found text that begins with neither https:// nor http://
8:16: targets[1].endpoint_url: holds a user name or a password, of which AWS has no use: leave it out
12:16: targets[2].endpoint_url: ends in a query or a fragment, which an endpoint can't have",
    );
}
