//! The bundle `aws` through the binary, with the AWS command line, against moto: a server of AWS's interfaces on loopback.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

#[path = "support/home.rs"]
mod home;
#[path = "support/moto.rs"]
mod moto;

use home::{Home, field, tool};
use moto::Moto;

/// A secret, as the operator gives it: by standard input, so that it stands in no line.
fn secret(home: &Home, name: &str, value: &str) {
    home.run_with(&format!("bundle set aws {name}"), &format!("{value}\n")).well();
}

/// A home with the bundle enabled, where bob may look.
fn site(moto: &Moto) -> Home {
    let aws = tool("aws");
    let home = Home::new().with_path(aws.parent().unwrap());
    home.setup(&[
        "bundle install bundles/aws",
        "bundle set aws AWS_DEFAULT_REGION eu-west-1",
        &format!("bundle set aws AWS_ENDPOINT_URL {}", moto.address),
    ]);
    secret(&home, "AWS_ACCESS_KEY_ID", "its-key");
    secret(&home, "AWS_SECRET_ACCESS_KEY", "its-secret");
    let shown = home.run("bundle show aws").well();
    assert!(shown.contains("permissions: aws:read, aws:write") && shown.contains("programs: aws"), "{shown}");
    assert!(shown.contains("setting AWS_ACCESS_KEY_ID, required: "), "{shown}");
    home.setup(&[
        "bundle enable aws",
        "user create bob",
        "user create mallory",
        "group create lookers",
        "group add lookers bob",
        "role create looker",
        "role grant looker aws:read",
        "role give looker lookers",
        "group create doers",
        "role create doer",
        "role grant doer aws:write",
        "role give doer doers",
    ]);
    home
}

#[test]
fn a_team_looks_and_acts_on_aws() {
    let moto = Moto::start();
    for (name, kind, count) in [("prod-web", "t3.micro", 2), ("prod-db", "m5.large", 1), ("test-web", "t3.micro", 1)] {
        let tags = format!("ResourceType=instance,Tags=[{{Key=Name,Value={name}}},{{Key=env,Value={}}}]", &name[..4]);
        moto.make(&format!(
            "ec2 run-instances --image-id ami-12c6146b --count {count} --instance-type {kind} --tag-specifications {tags}"
        ));
    }
    moto.make("s3api create-bucket --bucket backups --create-bucket-configuration LocationConstraint=eu-west-1");
    let body = std::env::temp_dir().join(format!("pipit-{}", std::process::id()));
    std::fs::write(&body, "0123456789").unwrap();
    for key in ["2026/a", "2026/b", "2025/a"] {
        moto.make(&format!("s3api put-object --bucket backups --key {key} --body {}", body.display()));
    }
    std::fs::remove_file(&body).unwrap();
    moto.make("iam create-user --user-name ada");
    let home = site(&moto);
    let as_bob = |line: &str| home.run_as("bob", line).well();

    assert_eq!(as_bob("aws ec2 | grep prod | count"), "3");
    assert_eq!(as_bob("aws ec2 running | where 'InstanceType == \"m5.large\"' | count"), "1");
    assert_eq!(as_bob("aws ec2 running | get InstanceType | unique | count"), "2");
    assert_eq!(as_bob("aws ec2 --region=us-east-1 | count"), "0");
    assert_eq!(as_bob("aws buckets | get Name"), "backups");
    assert_eq!(as_bob("aws buckets | aws objects --prefix=2026/ | sum Size"), "20");
    assert_eq!(as_bob("aws users | get UserName"), "ada");
    // records of one kind are shown as the bundle says
    let shown = as_bob("aws ec2 running");
    assert!(shown.lines().count() == 4 && shown.lines().all(|line| line.starts_with("*i-")), "{shown}");

    // nothing of a line runs when its end may not
    home.run_as("mallory", "aws ec2").fails(3, "mallory may not run aws:ec2: it takes aws:read");
    home.run_as("bob", "aws ec2 running | aws stop")
        .fails(3, "bob may not run aws:stop: by what it is given it takes aws:write");
    assert_eq!(as_bob("aws ec2 stopped | count"), "0");
    home.setup(&["group add doers bob"]);
    let ids = home.run_as("bob", "aws ec2 running | where 'InstanceType == \"t3.micro\"' | get InstanceId").well();
    let mut ids = ids.lines();
    let (first, second) = (ids.next().unwrap(), ids.next().unwrap());
    let said = as_bob(&format!("aws stop {first}"));
    assert_eq!(said, format!("*{first}* running → stopping"));
    let said = as_bob(&format!("seed '{{\"InstanceId\":\"{second}\"}}' | aws stop | get PreviousState.Name"));
    assert_eq!(said, "running");
    assert_eq!(as_bob("aws ec2 stopped | get InstanceId | count"), "2");
    assert_eq!(as_bob(&format!("aws instance {first} | get State.Name")), "stopped");
    home.run_as("bob", &format!("aws stop {first} --force")).fails(3, "site:oncall");
    assert_eq!(as_bob("aws ec2 stopped | aws start | count"), "2");
    assert_eq!(as_bob("aws ec2 running | count"), "4");

    // AWS's own word for what is wrong, and nothing that could be an option of its
    home.run_as("bob", "aws stop i-0123456789abcdef0").fails(1, "InvalidInstanceID");
    home.run_as("bob", "aws objects nothing-here").fails(1, "NoSuchBucket");
    home.run_as("bob", "aws stop --endpoint-url=http://127.0.0.1:1").fails(2, "endpoint-url");
    home.run_as("bob", "aws instance -- --debug").fails(2, "--debug");
    home.run_as("bob", "aws ec2 gone").fails(2, "gone");

    // what acts is in the log with its intent, and secrets are nowhere
    let log = home.log();
    let stopped = log.iter().rfind(|row| field(row, "line").starts_with("aws stop i-0123")).unwrap();
    let rows = home.values(&format!("audit show {}", field(stopped, "id")));
    let kinds: Vec<&str> = rows.iter().map(|row| field(row, "kind")).collect();
    assert!(kinds.contains(&"intent") && kinds.contains(&"effect"), "{kinds:?}");
    let shown = [home.run("bundle show aws").well(), home.run("bundle settings aws").well()].concat();
    let database = std::fs::read(home.path().join("pipit.db")).unwrap();
    let everything = format!("{log:?}{rows:?}{shown}{}", String::from_utf8_lossy(&database));
    assert!(!everything.contains("its-secret") && !everything.contains("its-key"));
}

#[test]
fn missing_credentials_are_told_before_anything_is_asked() {
    let moto = Moto::start();
    let home = site(&moto);
    home.setup(&["group add lookers bob"]);
    home.run("bundle set aws AWS_ACCESS_KEY_ID in-a-line").fails(1, "a secret never stands in a line");
    home.run("echo in-a-line | bundle set aws AWS_ACCESS_KEY_ID").fails(1, "a secret never stands in a line");
    home.run("bundle set aws AWS_REGIONS x").fails(1, "AWS_REGIONS");

    home.run("bundle unset aws AWS_ACCESS_KEY_ID").well();
    home.run_as("bob", "aws buckets").fails(1, "AWS_ACCESS_KEY_ID");
    secret(&home, "AWS_ACCESS_KEY_ID", "its-key");
    assert_eq!(home.run_as("bob", "aws buckets | count").well(), "0");
    // the nearest layer counts
    home.setup(&["bundle set aws AWS_ENDPOINT_URL http://127.0.0.1:1 --user=bob"]);
    assert_eq!(home.run_as("bob", "aws buckets").code, Some(1));
}
