//! Registries that answer badly or not at all: a small server says exactly what a test wants it to say.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::common::place::{Place, has};
use crate::common::{answers, component, doubles};
use composer::lock::Digest;

/// An answer: a status, a declared length, and the bytes that are really sent before the connection is closed.
struct Answer {
    status: u16,
    length: Option<usize>,
    body: Vec<u8>,
}

fn answer(status: u16, body: impl Into<Vec<u8>>) -> Answer {
    let body = body.into();
    Answer { status, length: Some(body.len()), body }
}

/// What the server is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ask<'a> {
    /// Whether it is a registry at all.
    Version,
    Manifest(&'a str),
    Blob(&'a str),
}

/// Serves on a port of its own, until the test ends. `say` is given what is asked for, and how often a question of that
/// kind was asked before.
fn registry(say: impl Fn(Ask<'_>, usize) -> Answer + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("it has one").to_string();
    let say = Arc::new(say);
    let asked = Arc::new([const { AtomicUsize::new(0) }; 3]);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (say, asked) = (Arc::clone(&say), Arc::clone(&asked));
            // A client that hangs up is part of the game.
            std::thread::spawn(move || stream.and_then(|stream| serve(stream, &*say, &asked)));
        }
    });
    address
}

fn serve(
    mut stream: TcpStream,
    say: &impl Fn(Ask<'_>, usize) -> Answer,
    asked: &[AtomicUsize; 3],
) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let first = lines.next().unwrap_or_else(|| Ok(String::new()))?;
    while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
    let path = first.split(' ').nth(1).unwrap_or_default();
    let (kind, ask) = if let Some((_, name)) = path.split_once("/manifests/") {
        (1, Ask::Manifest(name))
    } else if let Some((_, digest)) = path.split_once("/blobs/") {
        (2, Ask::Blob(digest))
    } else {
        (0, Ask::Version)
    };
    let answer = say(ask, asked[kind].fetch_add(1, Ordering::SeqCst));
    write!(stream, "HTTP/1.1 {} Because\r\nConnection: close\r\n", answer.status)?;
    if let Some(length) = answer.length {
        write!(stream, "Content-Length: {length}\r\n")?;
    }
    stream.write_all(b"\r\n")?;
    stream.write_all(&answer.body)
}

fn layer(content: &[u8], size: i64) -> String {
    typed("application/wasm", content, size)
}

fn typed(media: &str, content: &[u8], size: i64) -> String {
    format!(r#"{{"mediaType":"{media}","digest":"{}","size":{size}}}"#, Digest::of(content))
}

fn manifest(layers: &[String]) -> String {
    let config = typed("application/vnd.wasm.config.v0+json", b"{}", 2);
    let media = "application/vnd.oci.image.manifest.v1+json";
    format!(
        r#"{{"schemaVersion":2,"mediaType":"{media}","config":{config},"layers":[{}]}}"#,
        layers.join(",")
    )
}

fn manifest_of(content: &[u8]) -> String {
    manifest(&[layer(content, content.len() as i64)])
}

/// A registry that has one manifest, and answers for its blob as it is told.
fn with_manifest(manifest: String, blob: impl Fn(usize) -> Answer + Send + Sync + 'static) -> String {
    registry(move |ask, before| match ask {
        Ask::Version => answer(200, "{}"),
        Ask::Manifest(_) => answer(200, manifest.clone()),
        Ask::Blob(_) => blob(before),
    })
}

/// Inspects `oci://REGISTRY/a:1` in this place, and gives the exit code and the words.
fn inspect(place: &Place, registry: &str) -> (i32, String) {
    place.said(&["inspect", &format!("oci://{registry}/a:1")])
}

/// Inspects what must be refused: no component may be in the cache then.
fn refused(registry: &str, wanted: &[&str]) {
    let place = Place::new();
    let (code, words) = inspect(&place, registry);
    assert_eq!(code, 3, "{words}");
    has(&words, &[&format!("× cannot pull `oci://{registry}/a:1`\n")]);
    has(&words, wanted);
    for file in place.cached() {
        let bytes = std::fs::read(&file).expect("it is there");
        assert!(bytes.starts_with(b"{"), "there is more than a manifest in the cache: {}", file.display());
        assert!(file.ends_with(Digest::of(&bytes).hex()), "its name is its digest");
    }
}

#[test]
fn a_download_that_breaks_off_is_begun_again() {
    let whole = answers(1);
    let sent = whole.clone();
    let breaks = with_manifest(manifest_of(&whole), move |before| match before {
        0 => Answer { status: 200, length: Some(sent.len()), body: sent[..40].to_vec() },
        1 => Answer { status: 200, length: None, body: sent[..50].to_vec() },
        _ => answer(200, sent.clone()),
    });
    let place = Place::new();
    // On a machine that is busy it may take long enough to be shown.
    assert_eq!(inspect(&place, &breaks).0, 0);
    assert!(place.cached().iter().any(|file| std::fs::read(file).is_ok_and(|bytes| bytes == whole)));
}

#[test]
fn a_download_that_always_breaks_off_leaves_nothing() {
    let whole = answers(1);
    let length = whole.len();
    let sent = whole.clone();
    let breaks = with_manifest(manifest_of(&whole), move |_| Answer {
        status: 200,
        length: Some(sent.len()),
        body: sent[..40].to_vec(),
    });
    refused(&breaks, &[&format!("the connection broke off after 40 of {length} bytes")]);
    // One that does not say how long its answer is.
    let sent = whole.clone();
    let silent = with_manifest(manifest_of(&whole), move |_| Answer {
        status: 200,
        length: None,
        body: sent[..40].to_vec(),
    });
    refused(&silent, &[&format!("the connection broke off after 40 of {length} bytes")]);
}

#[test]
fn other_bytes_than_the_digest_says_are_refused() {
    let (wanted, sent) = (answers(1), answers(2));
    assert_eq!(wanted.len(), sent.len(), "the digest alone tells them apart");
    let (expected, found) = (Digest::of(&wanted), Digest::of(&sent));
    let lies = with_manifest(manifest_of(&wanted), move |_| answer(200, sent.clone()));
    refused(&lies, &[&format!("it should have been {expected}, and was {found}"), "nothing of it is kept"]);
}

#[test]
fn another_manifest_than_the_reference_says_is_refused() {
    let content = answers(1);
    let wanted = Digest::of(b"another manifest");
    let lies = with_manifest(manifest_of(&content), move |_| answer(200, content.clone()));
    let place = Place::new();
    let (code, words) = place.said(&["inspect", &format!("oci://{lies}/a@{wanted}")]);
    assert_eq!(code, 3, "{words}");
    has(
        &words,
        &[
            "cannot pull",
            "the registry sent something else",
            &wanted.to_string(),
            &Digest::of(manifest_of(&answers(1)).as_bytes()).to_string(),
        ],
    );
    assert!(place.cached().is_empty());
}

#[test]
fn sizes_are_not_believed() {
    let content = answers(1);
    let length = content.len();
    let more = [&content[..], &[0; 1000]].concat();
    let longer = with_manifest(manifest_of(&content), move |_| answer(200, more.clone()));
    refused(&longer, &[&format!("the registry sent more than the {length} bytes that the manifest names")]);
    let huge = with_manifest(manifest(&[layer(&content, 1 << 31)]), |_| answer(500, ""));
    refused(&huge, &["the component is 2.1 GB long, the limit is 1.1 GB"]);
    let negative = with_manifest(manifest(&[layer(&content, -1)]), |_| answer(500, ""));
    refused(&negative, &["the manifest names a length of -1 bytes"]);
}

#[test]
fn nobody_there_is_said_so() {
    let closed =
        TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("it has one").to_string();
    refused(
        &closed,
        &[
            "no connection to the registry could be made",
            "refused",
            &format!("is there a registry at `{closed}`?"),
        ],
    );
}

#[test]
fn trouble_may_pass() {
    let content = answers(1);
    let listed = manifest_of(&content);
    let busy = registry(move |ask, before| match ask {
        Ask::Version => answer(200, "{}"),
        Ask::Manifest(_) if before == 0 => answer(503, "not now"),
        Ask::Manifest(_) if before == 1 => {
            answer(429, r#"{"errors":[{"code":"TOOMANYREQUESTS","message":"slowly"}]}"#)
        }
        Ask::Manifest(_) => answer(200, listed.clone()),
        Ask::Blob(_) => answer(200, content.clone()),
    });
    assert_eq!(inspect(&Place::new(), &busy).0, 0);
    let down = registry(|_, _| answer(503, "not now"));
    refused(&down, &["the registry is in trouble: it answered with status 503 (not now)"]);
}

#[test]
fn refusals_are_told_in_words() {
    let closed = registry(|_, _| answer(401, r#"{"errors":[{"code":"UNAUTHORIZED","message":"log in"}]}"#));
    refused(&closed, &["the registry denied access", &format!("`docker login {closed}`")]);
    let denied = registry(|_, _| answer(403, r#"{"errors":[{"code":"DENIED","message":"not you"}]}"#));
    refused(&denied, &["the registry denied access (not you)"]);
    let unknown =
        registry(|_, _| answer(404, r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"no \u001b[2J"}]}"#));
    refused(
        &unknown,
        &["the registry has no such thing (no \u{fffd}[2J)", "are the name and the tag right?"],
    );
    let page = registry(|_, _| answer(404, format!("<html>{}", "x".repeat(1000))));
    refused(&page, &["the registry has no such thing (<html>xxx", "xxx…)"]);
}

#[test]
fn what_is_no_manifest_of_a_component_is_told_in_words() {
    let page = with_manifest("<html>a page</html>".to_owned(), |_| answer(500, ""));
    refused(&page, &["the registry's answer is not a manifest"]);
    let (one, two) = (answers(1), answers(2));
    let several = manifest(&[layer(&one, one.len() as i64), layer(&two, two.len() as i64)]);
    refused(&with_manifest(several, |_| answer(500, "")), &["2 of its layers are components"]);
    let image = manifest(&[typed("application/vnd.oci.image.layer.v1.tar+gzip", &one, 7)]);
    let wanted = "no layer of it is a component (application/vnd.oci.image.layer.v1.tar+gzip)";
    refused(&with_manifest(image, |_| answer(500, "")), &[wanted]);
    refused(
        &with_manifest(manifest(&[]), |_| answer(500, "")),
        &["no layer of it is a component; it has none at all"],
    );
    let entry = typed("application/vnd.oci.image.manifest.v1+json", b"one", 3);
    let index = format!(r#"{{"schemaVersion":2,"manifests":[{entry}]}}"#);
    let wanted = format!("name the one that is meant by its digest, like `@{}`", Digest::of(b"one"));
    refused(&with_manifest(index, |_| answer(500, "")), &["it is an index of 1 artifacts", &wanted]);
    let odd = manifest_of(&one).replace("sha256:", "md5:");
    refused(&with_manifest(odd, |_| answer(500, "")), &["a layer whose digest is not understood"]);
}

#[test]
fn media_types_of_older_tools_and_other_layers_are_fine() {
    let content = answers(1);
    for media in
        ["application/vnd.wasm.content.layer.v1+wasm", "application/vnd.module.wasm.content.layer.v1+wasm"]
    {
        let layers = [typed("text/markdown", b"read me", 7), typed(media, &content, content.len() as i64)];
        let sent = content.clone();
        let old = with_manifest(manifest(&layers), move |_| answer(200, sent.clone()));
        assert_eq!(inspect(&Place::new(), &old).0, 0);
    }
}

#[test]
fn what_is_pulled_and_no_component_is_named() {
    let module = component("(module)");
    let listed = manifest_of(&module);
    let address = with_manifest(listed, move |_| answer(200, module.clone()));
    let (code, words) = inspect(&Place::new(), &address);
    assert_eq!(code, 3);
    has(&words, &[&format!("`oci://{address}/a:1` is a core module, not a component")]);
    // The way out that is named is one.
    let componentize = format!("composer componentize oci://{address}/a:1 -o OUT.wasm");
    has(&words, &[&componentize]);
    let words: Vec<&str> = componentize.split(' ').skip(1).collect();
    let (code, words) = Place::new().said(&words);
    assert_eq!(code, 1, "{words}");
    has(&words, &["does not say which world it was built for"]);
}

#[test]
fn a_file_in_the_cache_that_was_changed_is_refused_by_name() {
    let content = answers(1);
    let listed = manifest_of(&content);
    let sent = content.clone();
    let address = with_manifest(listed, move |_| answer(200, sent.clone()));
    let place = Place::new();
    assert_eq!(inspect(&place, &address).0, 0);
    let digest = Digest::of(&content);
    let file = place.cached().into_iter().find(|file| file.ends_with(digest.hex())).expect("it was kept");
    std::fs::write(&file, answers(2)).expect("it can be written");
    let (code, words) = inspect(&place, &address);
    assert_eq!(code, 3);
    let found = Digest::of(&answers(2));
    has(
        &words,
        &[
            &format!("`{}` is not what was pulled: it should be {digest}, and is {found}", file.display()),
            "once it is deleted, it is pulled anew",
        ],
    );
    std::fs::remove_file(&file).expect("it is there");
    assert_eq!(inspect(&place, &address).0, 0);
}

#[test]
fn a_reference_by_digest_is_asked_for_once() {
    let content = answers(1);
    let listed = manifest_of(&content);
    let digest = Digest::of(listed.as_bytes());
    let once = registry(move |ask, before| match ask {
        Ask::Version => answer(200, "{}"),
        Ask::Manifest(name) if before == 0 && name == digest.to_string() => answer(200, listed.clone()),
        Ask::Blob(_) if before == 0 => answer(200, content.clone()),
        _ => answer(404, "asked again"),
    });
    let place = Place::new();
    for _ in 0..2 {
        assert_eq!(place.said(&["inspect", &format!("oci://{once}/a:any@{digest}")]).0, 0);
    }
}

#[test]
fn a_cache_that_cannot_be_written_is_said_and_done_without() {
    let content = answers(1);
    let listed = manifest_of(&content);
    let address = with_manifest(listed, move |_| answer(200, content.clone()));
    let place = Place::new();
    place.write("file", "in the way");
    let (code, words) = place.said(&["inspect", &format!("oci://{address}/a:1"), "--cache", "file/cache"]);
    assert_eq!(code, 0, "{words}");
    has(&words, &["note: what was pulled is used, but not kept for the next time:"]);
}

#[test]
fn references_that_leave_something_open_are_wrong_usage() {
    let place = Place::new();
    for (reference, wanted) in [
        ("oci://127.0.0.1:1/a", "there is no tag and no digest"),
        ("oci://greeter:1", "there is no name of a component behind the registry"),
        ("oci://library/a:1", "`library` is not the name of a registry"),
        ("https://registry.example/a:1", "`https://` is not known here"),
    ] {
        let (code, words) = place.said(&["inspect", reference]);
        assert_eq!(code, 2, "{words}");
        has(&words, &[wanted]);
    }
}

#[test]
fn commands_for_single_components_take_references_too() {
    let (source, doubler) = (answers(21), doubles());
    let text = "package a:b;\nlet s = new parts:s {};\nlet d = new parts:d { answer: s[\"answer\"] };\nexport d...;\n";
    let packages = [("parts:s".to_owned(), source), ("parts:d".to_owned(), doubler.clone())];
    let whole = compose::compose("whole.wac", text, &packages.into()).expect("a composition");
    let serving = |content: Vec<u8>| {
        let listed = manifest_of(&content);
        with_manifest(listed, move |_| answer(200, content.clone()))
    };
    let (whole, doubler) = (serving(whole), serving(doubler));
    let place = Place::new();
    let says = |arguments: &[&str], code: i32, wanted: &[&str]| {
        let output = place.run(arguments);
        let all = [output.stdout.as_slice(), &output.stderr].concat();
        let words = String::from_utf8(all).expect("text");
        assert_eq!(output.status.code(), Some(code), "{words}");
        has(&words, wanted);
    };
    let reference = |registry: &str| format!("oci://{registry}/shop/whole:1");
    says(&["decompose", &reference(&whole), "-o", "apart"], 0, &["composer compose apart/whole.wac"]);
    assert_eq!(std::fs::read(place.at("apart/d.wasm")).expect("it was written"), doubles());
    says(&["doctor", &reference(&doubler)], 0, &[&reference(&doubler), "nothing is wrong"]);
    says(
        &["deny", &reference(&doubler), "wasi:io/*"],
        1,
        &[&format!("`{}`", reference(&doubler)), "it imports `answer`"],
    );
    for command in [&["decompose", "oci://nowhere", "-o", "x"][..], &["doctor", "oci://nowhere"]] {
        says(command, 2, &["there is no name of a component behind the registry"]);
    }
}
