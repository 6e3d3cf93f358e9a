//! A directory to run the command in, with a cache and a configuration of its own: nothing of the user's gets in.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use tempfile::TempDir;

pub struct Place(TempDir);

impl Place {
    pub fn new() -> Self {
        let place = Place(tempfile::tempdir().expect("a directory"));
        fs::create_dir(place.path("work")).expect("a directory");
        fs::create_dir(place.path("docker")).expect("a directory");
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A file in the directory that the command runs in.
    pub fn at(&self, name: &str) -> PathBuf {
        self.path("work").join(name)
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.at(name);
        fs::create_dir_all(path.parent().expect("it has one")).expect("a directory");
        fs::write(path, content).expect("a file");
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.at(name)).expect("it is there")
    }

    /// Docker's configuration.
    pub fn configure(&self, json: &str) {
        fs::write(self.path("docker").join("config.json"), json).expect("a file");
    }

    /// What is in the cache, by name, sorted. Also what is not whole.
    pub fn cached(&self) -> Vec<PathBuf> {
        let blobs = self.path("cache").join("composer/blobs/sha256");
        let Ok(entries) = fs::read_dir(blobs) else { return Vec::new() };
        let mut found: Vec<_> = entries.map(|entry| entry.expect("readable").path()).collect();
        found.sort();
        found
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_composer"));
        command.args(arguments).current_dir(self.path("work"));
        for proxy in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
            command.env_remove(proxy).env_remove(proxy.to_lowercase());
        }
        command.env("HOME", self.0.path());
        command.env("XDG_CACHE_HOME", self.path("cache")).env("DOCKER_CONFIG", self.path("docker"));
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        let output = self.command(arguments).output().expect("the command can be started");
        super::proposes(arguments, &output);
        output
    }

    /// The exit code, and what was said on standard error.
    pub fn said(&self, arguments: &[&str]) -> (i32, String) {
        outcome(&self.run(arguments))
    }
}

pub fn outcome(output: &Output) -> (i32, String) {
    let words = String::from_utf8(output.stderr.clone()).expect("text");
    (output.status.code().expect("it was not killed"), words)
}

/// Asserts that all of these are in a text.
#[track_caller]
pub fn has(text: &str, wanted: &[&str]) {
    for one in wanted {
        assert!(text.contains(one), "`{one}` is not in:\n{text}");
    }
}
