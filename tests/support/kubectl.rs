//! kubectl and Helm as a person types them. What enters: the kubeconfig of an API server that the lab has started, the words of a
//! command, YAML. What leaves: what the command printed. Refuses by failing the test: binaries that nobody has built yet, and a command that
//! fails where it must not.

use std::{
    env,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use serde_json::Value;
use starkeeper::clock;

/// One API server, seen by its administrator.
#[derive(Clone, Debug)]
pub struct Kubectl {
    kubeconfig: PathBuf,
}

impl Kubectl {
    /// By this kubeconfig.
    pub fn new(kubeconfig: impl Into<PathBuf>) -> Self {
        Self { kubeconfig: kubeconfig.into() }
    }

    /// The administrator's kubeconfig.
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// Runs `kubectl WORDS…`: what it printed; fails the test with what it complained of.
    #[track_caller]
    pub fn kubectl(&self, words: &[&str]) -> String {
        self.try_kubectl(words).unwrap_or_else(|error| panic!("kubectl {}: {error}", words.join(" ")))
    }

    /// Runs `kubectl WORDS…`.
    ///
    /// # Errors
    /// What it printed on stderr.
    pub fn try_kubectl(&self, words: &[&str]) -> Result<String, String> {
        run(self.command("kubectl").args(words), "")
    }

    /// Runs `kubectl apply --server-side -f -` on this YAML.
    #[track_caller]
    pub fn apply(&self, yaml: &str) -> String {
        self.try_apply(yaml, &[]).unwrap_or_else(|error| panic!("kubectl apply: {error}\n{yaml}"))
    }

    /// The same with further words, such as `-n NAME` or `--dry-run=server`.
    ///
    /// # Errors
    /// What it printed on stderr: what the API server says of objects that it refuses.
    pub fn try_apply(&self, yaml: &str, words: &[&str]) -> Result<String, String> {
        run(self.command("kubectl").args(["apply", "--server-side", "--force-conflicts", "-f", "-"]).args(words), yaml)
    }

    /// `kubectl get WORDS… -o json`; nothing where it fails.
    pub fn get(&self, words: &[&str]) -> Option<Value> {
        let text = run(self.command("kubectl").arg("get").args(words).args(["-o", "json"]), "").ok()?;
        serde_json::from_str(&text).ok()
    }

    /// Runs `helm WORDS…`.
    ///
    /// # Errors
    /// What it printed, stderr last.
    pub fn helm(&self, words: &[&str]) -> Result<String, String> {
        run(self.command("helm").args(words), "")
    }

    /// Runs `helm WORDS… --values -` with these values.
    ///
    /// # Errors
    /// What it printed, stderr last.
    pub fn helm_with(&self, words: &[&str], values: &str) -> Result<String, String> {
        run(self.command("helm").args(words).args(["--values", "-"]), values)
    }

    /// A command that speaks to this API server: nothing of the user's own settings reaches it.
    pub fn command(&self, name: &str) -> Command {
        let home = self.kubeconfig.parent().expect("a file in a folder");
        let mut command = Command::new(binary(name));
        command.env("KUBECONFIG", &self.kubeconfig).env("HOME", home).env("XDG_CACHE_HOME", home.join("cache"));
        command.env_remove("XDG_CONFIG_HOME").env_remove("XDG_DATA_HOME").env("KUBECTL_KUBERC", "false");
        command
    }
}

/// Where `tests/lab/kubernetes.sh` puts what it builds; fails the test with what to run where that is missing.
pub fn binary(name: &str) -> PathBuf {
    let path = lab().join("kubernetes/bin").join(name);
    assert!(path.exists(), "{} is not there: run tests/lab/kubernetes.sh", path.display());
    path
}

/// The user's cache of everything that the lab provides.
pub fn lab() -> PathBuf {
    let cache = env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    cache.unwrap_or_else(|| PathBuf::from(env::var_os("HOME").unwrap_or_default()).join(".cache")).join("starkeeper-lab")
}

/// Runs a command to its end with this text as its input.
///
/// # Errors
/// What it printed, stderr last, where it fails.
pub fn run(command: &mut Command, input: &str) -> Result<String, String> {
    let began = clock::tick();
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("a program that is there");
    // A program that ends early does not read all of it, and says so itself.
    let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
    let ended = child.wait_with_output().expect("its output");
    let (out, error) = (String::from_utf8_lossy(&ended.stdout).into_owned(), String::from_utf8_lossy(&ended.stderr).into_owned());
    let took: Duration = clock::tick() - began;
    if ended.status.success() { Ok(out) } else { Err(format!("{out}{error}({}, after {took:.1?})", ended.status)) }
}
