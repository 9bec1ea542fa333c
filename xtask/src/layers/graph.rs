//! The members of the workspace and what each declares, with Cargo's features followed between members.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use cargo_metadata::{Dependency, DependencyKind, Metadata};

/// The workspace.
pub(super) struct Graph {
    /// By package name.
    pub(super) packages: BTreeMap<String, Package>,
}

/// One member.
pub(super) struct Package {
    /// First component of its path in the checkout.
    pub(super) folder: String,
    manifest: PathBuf,
    dependencies: Vec<Dependency>,
    features: BTreeMap<String, Vec<String>>,
}

/// One declared dependency. Build dependencies count as ordinary ones.
pub(super) struct Edge<'a> {
    pub(super) from: &'a str,
    pub(super) to: &'a str,
    pub(super) dev: bool,
    pub(super) default_features: bool,
    pub(super) features: &'a [String],
}

impl Graph {
    pub(super) fn new(metadata: &Metadata, root: &Path) -> Self {
        let packages = metadata.workspace_packages().into_iter().map(|package| {
            let manifest = package.manifest_path.as_std_path();
            let inside = manifest.strip_prefix(root).unwrap_or(manifest);
            let folder = inside
                .components()
                .next()
                .map_or_else(String::new, |c| c.as_os_str().to_string_lossy().into_owned());
            let (dependencies, features) = (package.dependencies.clone(), package.features.clone());
            (
                package.name.to_string(),
                Package { folder, manifest: manifest.to_path_buf(), dependencies, features },
            )
        });
        Self { packages: packages.collect() }
    }

    /// The manifest of each member, by name.
    pub(super) fn manifests(&self) -> BTreeMap<String, PathBuf> {
        self.packages
            .iter()
            .map(|(name, package)| (name.clone(), package.manifest.clone()))
            .collect()
    }

    pub(super) fn edges(&self) -> impl Iterator<Item = Edge<'_>> {
        self.packages.iter().flat_map(|(from, package)| {
            package.dependencies.iter().map(|d| Edge {
                from,
                to: &d.name,
                dev: d.kind == DependencyKind::Development,
                default_features: d.uses_default_features,
                features: &d.features,
            })
        })
    }

    /// The members that a build of `root` with its default features takes in.
    pub(super) fn reach(&self, root: &str) -> BTreeSet<String> {
        let mut seen: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut todo = vec![(root.to_owned(), BTreeSet::from(["default".to_owned()]))];
        while let Some((name, asked)) = todo.pop() {
            let Some(package) = self.packages.get(&name) else { continue };
            let new = !seen.contains_key(&name);
            let on = seen.entry(name).or_default();
            let before = on.len();
            on.extend(asked);
            package.close(on);
            if new || on.len() > before {
                todo.extend(package.pulled(on));
            }
        }
        seen.remove(root);
        seen.into_keys().collect()
    }
}

impl Package {
    /// Adds what the features in `on` switch on within this package.
    fn close(&self, on: &mut BTreeSet<String>) {
        let mut todo: Vec<String> = on.iter().cloned().collect();
        while let Some(feature) = todo.pop() {
            for implied in self.features.get(&feature).into_iter().flatten() {
                if on.insert(implied.clone()) {
                    todo.push(implied.clone());
                }
            }
        }
    }

    /// The dependencies built with `on`, each with the features asked of it.
    fn pulled(&self, on: &BTreeSet<String>) -> Vec<(String, BTreeSet<String>)> {
        let ordinary = self.dependencies.iter().filter(|d| d.kind != DependencyKind::Development);
        let pulled = ordinary.filter_map(|d| {
            let called = d.rename.as_ref().unwrap_or(&d.name);
            let strong = format!("{called}/");
            let weak = format!("{called}?/");
            let active = !d.optional
                || on.contains(called)
                || on.contains(&format!("dep:{called}"))
                || on.iter().any(|f| f.starts_with(&strong));
            let asked =
                on.iter().filter_map(|f| f.strip_prefix(&strong).or_else(|| f.strip_prefix(&weak)));
            let mut features: BTreeSet<String> =
                d.features.iter().cloned().chain(asked.map(str::to_owned)).collect();
            if d.uses_default_features {
                features.insert("default".to_owned());
            }
            active.then(|| (d.name.clone(), features))
        });
        pulled.collect()
    }
}
