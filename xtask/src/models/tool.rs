//! The tool that searches: Verifpal, at one version, installed on first use beside the build.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use serde::Deserialize;

use crate::project::{Project, run};

/// The one version whose verdicts are claimed.
pub(super) const VERSION: &str = "1.6.7";

/// How often a running search is looked at.
const PAUSE: Duration = Duration::from_millis(20);

/// The program, there and of the right version.
pub(super) struct Tool<'a> {
    project: &'a Project,
    program: PathBuf,
}

/// What the tool says of one model.
pub(super) struct Report {
    pub(super) verdicts: Vec<Verdict>,
    pub(super) took: Duration,
}

/// What the tool says of one query.
pub(super) struct Verdict {
    /// As it stands in the model.
    pub(super) query: String,
    /// The tool has an attack.
    pub(super) broken: bool,
    /// The search ended by itself within its sessions.
    pub(super) exhausted: bool,
    /// The bound of the search, in the tool's words.
    pub(super) envelope: String,
}

impl<'a> Tool<'a> {
    /// The tool of the build directory; builds it first if it is missing, and says so.
    pub(super) fn find(project: &'a Project) -> Result<Self> {
        let root = project.target().join("tools").join(format!("verifpal-{VERSION}"));
        let program = root.join("bin").join("verifpal");
        if !program.exists() {
            println!("models: verifpal {VERSION} is missing: building it into {}", root.display());
            println!("models: this takes 2 to 10 minutes on two cores, once");
            // It declares a newer compiler than ours, and builds with ours.
            let mut install =
                project.cargo(&["install", "--quiet", "--locked", "--ignore-rust-version"]);
            run(install.args(["verifpal", "--version", VERSION, "--root"]).arg(&root))
                .context("without a network this chore cannot run the first time")?;
        }
        Ok(Self { project, program })
    }

    /// Searches one model for attacks on its queries. The model and the report stay in `folder`.
    pub(super) fn search(
        &self,
        folder: &Path,
        name: &str,
        model: &str,
        sessions: u8,
        limit: Duration,
    ) -> Result<Report> {
        let file = folder.join(format!("{name}.vp"));
        let answer = folder.join(format!("{name}.json"));
        std::fs::write(&file, model).with_context(|| format!("cannot write {}", file.display()))?;
        let start = Instant::now();
        // Not a terminal: the tool asks the network for news of itself only on one.
        let child = self
            .project
            .command(&self.program)
            .args(["verify", "--format", "json", "--sessions", &sessions.to_string()])
            .arg(&file)
            .stdout(Stdio::from(File::create(&answer)?))
            .spawn()
            .with_context(|| format!("cannot start {}", self.program.display()))?;
        let Some(status) = wait(child, limit)? else {
            bail!("{name}: the search did not end in {} s and shows nothing", limit.as_secs());
        };
        let took = start.elapsed();
        let text = std::fs::read_to_string(&answer)?;
        let verdicts = read(&text).with_context(|| format!("{}: {status}", file.display()))?;
        Ok(Report { verdicts, took })
    }
}

/// Waits for the end of a program, or ends it after `limit` and returns nothing.
fn wait(mut child: Child, limit: Duration) -> Result<Option<ExitStatus>> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if start.elapsed() > limit {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        std::thread::sleep(PAUSE);
    }
}

#[derive(Deserialize)]
struct Run {
    version: String,
    models: Vec<Model>,
}

#[derive(Deserialize)]
struct Model {
    error: Option<String>,
    analysis: Option<Analysis>,
}

#[derive(Deserialize)]
struct Analysis {
    queries: Vec<Query>,
}

#[derive(Deserialize)]
struct Query {
    query: String,
    /// The tool's word for *an attack was found*.
    resolved: bool,
    envelope: Envelope,
}

#[derive(Deserialize)]
struct Envelope {
    exhausted: bool,
    summary: String,
}

/// Reads the report of a run over one model.
fn read(text: &str) -> Result<Vec<Verdict>> {
    let run: Run = serde_json::from_str(text).context("the tool printed no report")?;
    ensure!(run.version == VERSION, "the tool is version {}, not {VERSION}", run.version);
    let mut models = run.models.into_iter();
    let (Some(model), None) = (models.next(), models.next()) else {
        bail!("the report is not about one model");
    };
    if let Some(error) = model.error {
        bail!("the tool cannot read the model: {error}");
    }
    let analysis = model.analysis.context("the report has no analysis")?;
    let verdict = |q: Query| Verdict {
        query: q.query,
        broken: q.resolved,
        exhausted: q.envelope.exhausted,
        envelope: q.envelope.summary,
    };
    Ok(analysis.queries.into_iter().map(verdict).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_are_read_and_other_versions_and_errors_refused() {
        let report = |version: &str, model: &str| {
            format!(r#"{{"version":"{version}","ok":true,"models":[{model}]}}"#)
        };
        let query = r#"{"query":"confidentiality? m","resolved":true,"envelope":{"exhausted":true,"summary":"all"}}"#;
        let model = format!(r#"{{"file":"m.vp","analysis":{{"queries":[{query}]}}}}"#);
        let read_back = read(&report(VERSION, &model)).unwrap();
        assert!(read_back.len() == 1 && read_back[0].broken && read_back[0].exhausted);
        assert!(read(&report("1.6.8", &model)).is_err());
        assert!(read(&report(VERSION, r#"{"file":"m.vp","error":"no"}"#)).is_err());
        assert!(read("").is_err());
    }

    #[test]
    fn a_search_without_end_is_ended() {
        let mut command = std::process::Command::new("sleep");
        let child = command.arg("60").spawn().unwrap();
        assert!(wait(child, Duration::from_millis(50)).unwrap().is_none());
    }
}
