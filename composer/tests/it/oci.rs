//! Components from a registry, and the lock: against Debian's docker-registry, which tools/setup.py unpacks below
//! target/tools. `./just test` runs these tests where the registry can be had: on Linux, on x86-64.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::common::place::{Place, has, outcome};
use crate::common::{answers, component, doubles};
use composer::lock::{self, Digest, Entry};
use oci_client::client::{ClientConfig, ClientProtocol, Config, ImageLayer};
use oci_client::manifest::OciImageManifest;
use oci_client::secrets::RegistryAuth;
use oci_client::{Client, Reference};
use tempfile::TempDir;

/// A registry on a port that the system chose.
struct Registry {
    address: String,
    process: Child,
    login: RegistryAuth,
    _data: TempDir,
}

fn program() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tools/registry/usr/bin/docker-registry")
}

impl Registry {
    fn start() -> Self {
        Registry::with(|_| String::new(), RegistryAuth::Anonymous)
    }

    /// One that asks for a name and a password.
    fn closed() -> Self {
        let passwords = |data: &Path| {
            let file = data.join("passwords");
            // By bcrypt: `open sesame`.
            fs::write(&file, "ada:$2b$04$MzduR01RK63Omw7ivOE0ROe0Wz1vGPpKTW39avgKc.OrxsvazSN5q\n")
                .expect("a file");
            format!("auth:\n  htpasswd: {{realm: tests, path: '{}'}}\n", file.display())
        };
        Registry::with(passwords, RegistryAuth::Basic("ada".to_owned(), "open sesame".to_owned()))
    }

    fn with(more: impl Fn(&Path) -> String, login: RegistryAuth) -> Self {
        let data = tempfile::tempdir().expect("a directory");
        let config = data.path().join("config.yml");
        let text = format!(
            "version: 0.1\nlog: {{level: info, formatter: json}}\nstorage:\n  filesystem: {{rootdirectory: '{}'}}\n\
             http:\n  addr: 127.0.0.1:0\n{}",
            data.path().join("data").display(),
            more(data.path())
        );
        fs::write(&config, text).expect("a file");
        assert!(program().is_file(), "there is no registry: `python3 tools/setup.py tests` gets it");
        let mut process = Command::new(program())
            .arg("serve")
            .arg(&config)
            .env_remove("OTEL_TRACES_EXPORTER")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it can be started");
        let mut log = BufReader::new(process.stderr.take().expect("it is piped"));
        let mut said = String::new();
        let address = loop {
            let mut line = String::new();
            assert_ne!(log.read_line(&mut line).expect("text"), 0, "the registry ended:\n{said}");
            if let Some((_, rest)) = line.split_once("listening on ") {
                break rest.split(['"', ',']).next().unwrap_or_default().to_owned();
            }
            said.push_str(&line);
        };
        // It must not wait for somebody to read what it says.
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        Registry { address, process, login, _data: data }
    }

    /// The reference to something in it.
    fn oci(&self, name: &str) -> String {
        format!("oci://{}/{name}", self.address)
    }

    /// Pushes layers as an artifact, as other tools do, and gives the digest of its manifest.
    fn push(&self, name: &str, layers: &[Vec<u8>]) -> Digest {
        let config = ClientConfig { protocol: ClientProtocol::Http, ..ClientConfig::default() };
        // The client is built before it is told to do without TLS. It may be there already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::new(config);
        let reference: Reference = format!("{}/{name}", self.address).parse().expect("a reference");
        let layer = |bytes: &Vec<u8>| ImageLayer::new(bytes.clone(), "application/wasm".to_owned(), None);
        let layers: Vec<ImageLayer> = layers.iter().map(layer).collect();
        let config = Config::new(&b"{}"[..], "application/vnd.wasm.config.v0+json".to_owned(), None);
        let manifest = OciImageManifest::build(&layers, &config, None);
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(async {
            client
                .push(&reference, &layers, config, &self.login, Some(manifest))
                .await
                .expect("it is pushed");
            let digest = client.fetch_manifest_digest(&reference, &self.login).await.expect("it is there");
            digest.parse().expect("a digest")
        })
    }

    fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.end();
    }
}

const WHOLE: &str = r#"package example:whole;
let source = new parts:source {};
let doubler = new parts:doubler { answer: source["answer"] };
export doubler["doubled"];
"#;

/// What composes `whole.wac` of a component in a registry and one in a file.
fn compose<'a>(source: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let fixed = ["compose", "whole.wac", "-o", "whole.wasm", "-d", "parts:doubler=d.wasm", "-d", source];
    [&fixed, more].concat()
}

fn place() -> Place {
    let place = Place::new();
    place.write("whole.wac", WHOLE);
    place.write("d.wasm", doubles());
    place
}

fn locked(place: &Place) -> Vec<Entry> {
    let mut lock = lock::parse("interlock.lock", &place.read("interlock.lock")).expect("a lock");
    lock.compositions.remove("whole.wasm").expect("it is about the composition")
}

#[test]
#[ignore = "needs the registry that `python3 tools/setup.py tests` gets"]
fn a_component_is_pulled_locked_and_composed() {
    let registry = Registry::start();
    let manifest = registry.push("fine/source:1.0", &[answers(21)]);
    let (place, oci) = (place(), registry.oci("fine/source:1.0"));
    let source = format!("parts:source={oci}");
    assert_eq!(place.said(&compose(&source, &[])), (0, String::new()));
    let doubler = Entry {
        package: Some("parts:doubler".to_owned()),
        source: "d.wasm".to_owned(),
        manifest: None,
        digest: Digest::of(&doubles()),
    };
    let source_entry = Entry {
        package: Some("parts:source".to_owned()),
        source: oci.clone(),
        manifest: Some(manifest),
        digest: Digest::of(&answers(21)),
    };
    assert_eq!(locked(&place), [doubler, source_entry]);
    let whole = fs::read(place.at("whole.wasm")).expect("it was written");
    let found = anatomy::read(&whole).expect("a component");
    assert_eq!(found.parts[0].digest, Digest::of(&answers(21)).hex(), "the part is what was pushed");
    // The same by digest, and as part of a bag.
    let exact = format!("s={}@{manifest}", registry.oci("fine/source"));
    let bag = ["compose", "d=d.wasm", &exact, "-o", "bag.wasm"];
    assert_eq!(place.said(&bag), (0, String::new()));
    assert_eq!(place.said(&[&bag[..], &["--locked"]].concat()), (0, String::new()));
    has(
        &place.read("interlock.lock"),
        &["output = \"bag.wasm\"", "output = \"whole.wasm\"", &manifest.to_string()],
    );
    let tree = place.run(&["inspect", &oci]);
    has(&String::from_utf8(tree.stdout).expect("text"), &[&format!("{oci}: component"), "answer"]);
    for (arguments, wanted) in [
        (&["check", "d.wasm", &oci][..], "everything fits"),
        (&["graph", &oci], "answer"),
        (&["wit", &oci], "export answer: func() -> u32"),
    ] {
        let output = place.run(arguments);
        assert_eq!(outcome(&output), (0, String::new()), "{arguments:?}");
        has(&String::from_utf8(output.stdout).expect("text"), &[wanted]);
    }
}

#[test]
#[ignore = "needs the registry that `python3 tools/setup.py tests` gets"]
fn what_is_not_there_is_said() {
    let registry = Registry::start();
    registry.push("wrong/source:1.0", &[answers(1)]);
    let place = place();
    for name in ["wrong/source:2.0", "wrong/nothing:1.0"] {
        let oci = registry.oci(name);
        let (code, words) = place.said(&compose(&format!("parts:source={oci}"), &[]));
        assert_eq!(code, 3);
        has(
            &words,
            &[
                &format!("× cannot pull `{oci}`\n  ╰─▶ the registry has no such thing ("),
                "help: are the name and the tag right?",
            ],
        );
    }
    assert!(!place.at("whole.wasm").exists() && !place.at("interlock.lock").exists());
}

#[test]
#[ignore = "needs the registry that `python3 tools/setup.py tests` gets"]
fn what_is_no_single_component_is_said() {
    let registry = Registry::start();
    registry.push("odd/core:1", &[component("(module)")]);
    registry.push("odd/two:1", &[answers(1), answers(2)]);
    let place = place();
    let (code, words) = place.said(&compose(&format!("parts:source={}", registry.oci("odd/core:1")), &[]));
    assert_eq!(code, 3);
    has(&words, &[&format!("`{}` is a core module, not a component", registry.oci("odd/core:1"))]);
    // The way out that is named is one.
    let componentize = format!("composer componentize {} -o OUT.wasm", registry.oci("odd/core:1"));
    has(&words, &[&componentize]);
    let words: Vec<&str> = componentize.split(' ').skip(1).collect();
    let (code, words) = place.said(&words);
    assert!(code == 1 && words.contains("does not say which world it was built for"), "{words}");
    let (code, words) = place.said(&compose(&format!("parts:source={}", registry.oci("odd/two:1")), &[]));
    assert_eq!(code, 3);
    has(&words, &["2 of its layers are components"]);
}

#[test]
#[ignore = "needs the registry that `python3 tools/setup.py tests` gets"]
fn a_tag_that_moved_is_said_and_locked_takes_what_it_was() {
    let registry = Registry::start();
    let before = registry.push("moving/source:1", &[answers(1)]);
    let (place, oci) = (place(), registry.oci("moving/source:1"));
    let source = format!("parts:source={oci}");
    assert_eq!(place.said(&compose(&source, &[])), (0, String::new()));
    let (text, whole) =
        (place.read("interlock.lock"), fs::read(place.at("whole.wasm")).expect("it is there"));
    let now = registry.push("moving/source:1", &[answers(2)]);

    assert_eq!(place.said(&compose(&source, &["--locked"])), (0, String::new()));
    assert_eq!(fs::read(place.at("whole.wasm")).expect("it is there"), whole);
    // Also where nothing is in the cache: the manifest is asked for by its digest.
    assert_eq!(place.said(&compose(&source, &["--locked", "--cache", "elsewhere"])), (0, String::new()));
    assert_eq!(fs::read(place.at("whole.wasm")).expect("it is there"), whole);
    assert_eq!(place.read("interlock.lock"), text);

    let note = format!("note: `{oci}` has moved: it was {before}, and is {now}\n");
    assert_eq!(place.said(&compose(&source, &[])), (0, note));
    assert_ne!(fs::read(place.at("whole.wasm")).expect("it is there"), whole);
    assert_eq!(locked(&place)[1].manifest, Some(now));
    assert_eq!(place.said(&compose(&source, &["--locked"])), (0, String::new()));
}

#[test]
#[ignore = "needs the registry that `python3 tools/setup.py tests` gets"]
fn locked_refuses_every_difference() {
    let registry = Registry::start();
    registry.push("differing/source:1", &[answers(1)]);
    registry.push("differing/other:1", &[answers(1)]);
    let (place, oci) = (place(), registry.oci("differing/source:1"));
    let source = format!("parts:source={oci}");
    let refused = |arguments: &[&str], wanted: &[&str]| {
        let (code, words) = place.said(&[arguments, &["--locked"]].concat());
        assert_eq!(code, 1, "{words}");
        has(&words, wanted);
    };
    refused(&compose(&source, &[]), &["there is no lock `interlock.lock`"]);
    assert_eq!(place.said(&compose(&source, &[])), (0, String::new()));
    let lock = place.read("interlock.lock");
    let whole = fs::read(place.at("whole.wasm")).expect("it is there");

    // A file that was tampered with: it is named before anybody looks whether it is a component at all.
    place.write("d.wasm", b"tampered");
    let (was, is) = (Digest::of(&doubles()), Digest::of(b"tampered"));
    refused(
        &compose(&source, &[]),
        &[
            "× an input is not what `interlock.lock` says for `whole.wasm`",
            &format!("`d.wasm` changed: locked {was}, found {is}"),
            "help: without `--locked` the lock is brought up to date",
        ],
    );
    place.write("d.wasm", doubles());

    // Another input in the place of one, from elsewhere: one too few and one too many.
    place.write("s.wasm", answers(1));
    let digest = Digest::of(&answers(1));
    refused(
        &compose("parts:source=s.wasm", &[]),
        &[
            "2 inputs are not what `interlock.lock` says for `whole.wasm`",
            &format!("`s.wasm` as `parts:source` is not in the lock: found {digest}"),
            &format!("`{oci}` as `parts:source` is in the lock and not among the inputs: locked {digest}"),
        ],
    );
    // Nothing is pulled that is not in the lock.
    let other = registry.oci("differing/other:1");
    refused(
        &compose(&format!("parts:source={other}"), &[]),
        &[&format!("`{other}` as `parts:source` is not in the lock")],
    );
    // Another composition.
    let arguments = ["compose", "whole.wac", "-o", "other.wasm", "-d", "parts:doubler=d.wasm", "-d", &source];
    refused(&arguments, &["`interlock.lock` says nothing about `other.wasm`"]);
    // A lock that names another content than the manifest that it names.
    let wrong = lock.replace(&digest.to_string(), &Digest::of(b"wrong").to_string());
    place.write("interlock.lock", wrong);
    refused(&compose(&source, &[]), &["the lock does not agree with itself"]);

    place.write("interlock.lock", &lock);
    assert_eq!(fs::read(place.at("whole.wasm")).expect("it is there"), whole, "nothing was written");
    assert_eq!(place.said(&compose(&source, &["--locked"])), (0, String::new()));
    assert_eq!(place.read("interlock.lock"), lock);
}

#[test]
#[ignore = "needs the registry that `python3 tools/setup.py tests` gets"]
fn what_was_locked_needs_no_registry_again() {
    let registry = Registry::start();
    let manifest = registry.push("gone/source:1", &[answers(1)]);
    let (place, oci) = (place(), registry.oci("gone/source:1"));
    let exact = format!("parts:source={}@{manifest}", registry.oci("gone/source"));
    let source = format!("parts:source={oci}");
    assert_eq!(place.said(&compose(&source, &[])), (0, String::new()));
    let address = registry.address.clone();
    registry.stop();

    assert_eq!(place.said(&compose(&source, &["--locked"])), (0, String::new()));
    let (code, words) = place.said(&compose(&source, &[]));
    assert_eq!(code, 3);
    has(
        &words,
        &["no connection to the registry could be made", &format!("is there a registry at `{address}`?")],
    );
    // A digest says it all, with or without a lock.
    assert_eq!(place.said(&compose(&exact, &[])), (0, String::new()));

    let digest = Digest::of(&answers(1));
    let kept = place.cached().into_iter().find(|file| file.ends_with(digest.hex())).expect("it was kept");
    fs::write(&kept, b"tampered").expect("it can be written");
    let (code, words) = place.said(&compose(&exact, &["--locked"]));
    assert_eq!(code, 3);
    has(&words, &[&format!("`{}` is not what was pulled: it should be {digest}", kept.display())]);
}

#[test]
#[ignore = "needs the registry that `python3 tools/setup.py tests` gets"]
fn two_runs_at_once_are_two_good_runs() {
    let registry = Registry::start();
    registry.push("busy/source:1", &[answers(1)]);
    let (place, source) = (place(), format!("parts:source={}", registry.oci("busy/source:1")));
    let outputs: Vec<String> = (0..6).map(|number| format!("w{number}.wasm")).collect();
    let started: Vec<Child> = outputs
        .iter()
        .map(|output| {
            let arguments =
                ["compose", "whole.wac", "-o", output, "-d", "parts:doubler=d.wasm", "-d", &source];
            place.command(&arguments).stderr(Stdio::piped()).spawn().expect("it can be started")
        })
        .collect();
    for run in started {
        assert_eq!(outcome(&run.wait_with_output().expect("it ends")), (0, String::new()));
    }
    let lock = lock::parse("interlock.lock", &place.read("interlock.lock")).expect("a lock");
    assert_eq!(lock.compositions.keys().collect::<Vec<_>>(), outputs.iter().collect::<Vec<_>>());
    assert_eq!(place.cached().len(), 2, "a manifest and a component, and nothing that is not whole");
}

#[test]
#[ignore = "needs the registry that `python3 tools/setup.py tests` gets"]
fn a_login_is_taken_from_dockers_configuration() {
    let registry = Registry::closed();
    registry.push("secret/source:1", &[answers(1)]);
    let (place, source) = (place(), format!("parts:source={}", registry.oci("secret/source:1")));
    let refused = || {
        let (code, words) = place.said(&compose(&source, &[]));
        assert_eq!(code, 3, "{words}");
        has(&words, &["the registry denied access", &format!("`docker login {}`", registry.address)]);
        assert!(!words.contains("sesame") && !words.contains("d3Jvbmc"), "a password is shown: {words}");
    };
    refused();
    // ada:wrong sesame
    let auths = |auth: &str| format!(r#"{{"auths": {{"{}": {{"auth": "{auth}"}}}}}}"#, registry.address);
    place.configure(&auths("YWRhOndyb25nIHNlc2FtZQ=="));
    refused();
    // ada:open sesame
    place.configure(&auths("YWRhOm9wZW4gc2VzYW1l"));
    assert_eq!(place.said(&compose(&source, &[])), (0, String::new()));
    assert!(!place.read("interlock.lock").contains("ada"));
}
