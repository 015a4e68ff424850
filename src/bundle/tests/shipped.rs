//! The bundles that ship: their manifests, their examples, and `aws` against moto.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use pipit_commands::Value;

use super::stage::{fault, ready, run, texts};
use crate::bundle::{Ready, check};

fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("bundles").join(name)
}

#[test]
fn every_manifest_is_good() {
    let folders = std::fs::read_dir(shipped("")).unwrap().flatten();
    // what programs may copy stands beside the bundles
    for folder in folders.filter(|entry| entry.path().is_dir() && entry.file_name() != "helpers") {
        let text = std::fs::read_to_string(folder.path().join("bundle.yaml")).unwrap();
        let checked = check(&text).unwrap_or_else(|faults| panic!("{:?}: {faults:?}", folder.path()));
        assert!(checked.warnings.is_empty(), "{:?}: {:?}", folder.path(), checked.warnings);
        assert_eq!(folder.file_name().to_str(), Some(&*checked.manifest.name));
        assert!(folder.path().join("README.md").is_file());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hello() {
    let shell = ready(shipped("hello-sh"), &[], &[]);
    assert_eq!(texts(&shell, &["hello"], None).await, ["hello, alice"]);
    assert_eq!(texts(&shell, &["hello", "ada l"], None).await, ["hello, ada l"]);
    assert_eq!(texts(&shell, &["hello"], Some(vec![Value::text("grace")])).await, ["hello, grace"]);
    let python = ready(shipped("hello-python"), &[], &[]);
    let greeted = texts(&python, &["hello", "ada", "--loud"], None).await;
    assert_eq!(greeted, [r#"{"name":"ada","greeting":"HELLO, ADA"}"#]);
    let values = vec![Value::text("a"), Value::Null];
    let numbered = texts(&python, &["number", "--from=1"], Some(values)).await;
    assert_eq!(numbered, [r#"{"number":1,"value":"a"}"#, r#"{"number":2,"value":null}"#]);
}

/// moto on a port of its own, ended with the test.
struct Moto {
    server: Child,
    address: String,
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// A program of the test tools, else of `PATH`.
fn tool(name: &str) -> PathBuf {
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/test-tools/venv/bin");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders = std::iter::once(tools).chain(std::env::split_paths(&path));
    let found = folders.find_map(|folder| Some(folder.join(name)).filter(|file| file.is_file()));
    found.unwrap_or_else(|| panic!("{name} is not there: run tests/setup"))
}

fn moto() -> Moto {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut command = Command::new(tool("moto_server"));
    command.args(["-H", "127.0.0.1", "-p", &port.to_string()]).stdout(Stdio::null()).stderr(Stdio::null());
    let moto = Moto { server: command.spawn().unwrap(), address: format!("http://127.0.0.1:{port}") };
    let end = Instant::now() + Duration::from_mins(1);
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(Instant::now() < end, "moto_server does not answer");
        std::thread::sleep(Duration::from_millis(100));
    }
    moto
}

fn aws(moto: &Moto, args: &str) -> String {
    let mut command = Command::new(tool("aws"));
    command.args(args.split(' ')).env("AWS_ENDPOINT_URL", &moto.address).env("AWS_DEFAULT_REGION", "eu-west-1");
    command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test");
    let output = command.output().unwrap();
    assert!(output.status.success(), "{args}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn aws_against_moto() {
    let moto = moto();
    aws(&moto, "ec2 run-instances --image-id ami-12c6146b --count 2 --instance-type t3.micro");
    aws(&moto, "s3api create-bucket --bucket backups --create-bucket-configuration LocationConstraint=eu-west-1");
    aws(&moto, "s3api put-object --bucket backups --key 2026/a");
    aws(&moto, "iam create-user --user-name ada");
    let settings = [
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_DEFAULT_REGION", "eu-west-1"),
        ("AWS_ENDPOINT_URL", moto.address.as_str()),
    ];
    let bundle: Arc<Ready> = ready(shipped("aws"), &settings, &[("aws", tool("aws"))]);
    let all = |words: &'static [&'static str]| {
        let bundle = Arc::clone(&bundle);
        async move {
            let (values, end, _) = run(&bundle, words, None).await;
            end.unwrap_or_else(|error| panic!("{words:?}: {error}"));
            values
        }
    };
    let field = |value: &Value, name: &str| value.field(name).unwrap().to_text().to_string();
    let running = all(&["ec2", "running"]).await;
    assert_eq!((running.len(), all(&["ec2", "stopped"]).await.len(), all(&["ec2"]).await.len()), (2, 0, 2));
    assert_eq!(all(&["ec2", "--region=us-east-1"]).await.len(), 0);
    let id = field(&running[0], "InstanceId");
    let (stopped, end, _) = run(&bundle, &["stop"], Some(vec![running[0].clone()])).await;
    end.unwrap();
    assert_eq!(field(&stopped[0], "InstanceId"), id);
    let stopped = all(&["ec2", "stopped"]).await;
    assert_eq!((stopped.len(), field(&stopped[0], "InstanceId")), (1, id.clone()));
    let (started, end, _) = run(&bundle, &["start", &id], None).await;
    end.unwrap();
    assert_eq!(started.len(), 1);
    let (one, end, _) = run(&bundle, &["instance", &id, "--region=eu-west-1"], None).await;
    end.unwrap();
    assert_eq!(field(&one[0], "InstanceId"), id);
    assert_eq!(field(&all(&["buckets"]).await[0], "Name"), "backups");
    assert_eq!(field(&all(&["objects", "backups", "--prefix=2026/", "--most=5"]).await[0], "Key"), "2026/a");
    assert_eq!(all(&["objects", "backups", "--prefix=none"]).await.len(), 0);
    assert_eq!(field(&all(&["users"]).await[0], "UserName"), "ada");
    assert_eq!(all(&["roles"]).await.len(), 0);
    assert_eq!(all(&["identity"]).await.len(), 1);

    let message = fault(&bundle, &["objects", "nothing-here"]).await;
    assert!(message.contains("NoSuchBucket"), "{message}");
    let message = fault(&bundle, &["stop", "i-0123456789abcdef0"]).await;
    assert!(message.contains("InvalidInstanceID"), "{message}");
}
