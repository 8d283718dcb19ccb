//! `[[scope]]` and `[[tolerance]]`: which controls are kept otherwise for some stations, and what a
//! model or a station may send though a control objects.

use guard::{Control, Mode, Relaxed, Scope, Scopes, Tenant, Tolerance, Who};

use super::policy::{is_action, nearest_action};
use super::source::Placed;
use super::table::Section;
use crate::nearest;

pub(super) fn scopes(root: &mut Section<'_>) -> Scopes {
    let scopes = bounded(root, "scope").into_iter().filter_map(scope);
    let scopes: Vec<Scope> = scopes.collect();
    let tolerances = bounded(root, "tolerance").into_iter().filter_map(tolerance);
    Scopes::new(scopes, tolerances.collect(), Relaxed::default())
}

fn bounded<'s>(root: &mut Section<'s>, key: &'static str) -> Vec<Section<'s>> {
    let sections = root.sections(key);
    if let Some(beyond) = sections.get(Scopes::SCOPES_MAX) {
        root.problem(
            beyond.line,
            format!("more than {} sections [[{key}]]", Scopes::SCOPES_MAX),
            "Join them: a pattern that ends in `*` names many stations or models.",
        );
    }
    sections
}

fn scope(mut section: Section<'_>) -> Option<Scope> {
    let who = who(&mut section);
    let mut controls = section.section("controls");
    let written = Control::ALL
        .iter()
        .filter(|control| controls.has(control.name()))
        .copied()
        .collect::<Vec<_>>();
    let modes = Control::ALL
        .iter()
        .map(|control| (*control, mode(&mut controls, *control, Mode::Observe)))
        .filter(|(control, _)| written.contains(control))
        .collect::<Vec<_>>();
    controls.finish();
    if modes.is_empty() {
        section.problem(
            section.line,
            "[[scope]] changes no control",
            "Add: controls = { schema = \"enforce\" }",
        );
    }
    section.finish();
    Some(Scope { who: who?, modes })
}

pub(super) fn mode(controls: &mut Section<'_>, control: Control, default: Mode) -> Mode {
    let line = controls.line_of(control.name());
    let mode = controls.choice(control.name(), &Mode::NAMED, default);
    if mode > control.strictest() {
        controls.problem(
            line,
            format!("`{}` cannot be enforced", control.name()),
            "Write \"observe\": an honest name may look like a query, and to quote it is the CSMS's part.",
        );
    }
    mode.min(control.strictest())
}

fn tolerance(mut section: Section<'_>) -> Option<Tolerance> {
    let who = who(&mut section);
    let name = section.needed_text("control", "schema");
    let control = name.and_then(|name| {
        let control = Control::named(&name.value);
        if control.is_none() {
            let names: Vec<&str> = Control::ALL.iter().map(|known| known.name()).collect();
            section.problem(
                name.line,
                format!("there is no control `{}`", name.value),
                nearest::remedy(&name.value, &names),
            );
        }
        control
    });
    let action = section.text("action").map(|action| {
        if !is_action(&action.value) {
            section.problem(
                action.line,
                format!("no version of OCPP has an action `{}`", action.value),
                nearest_action(&action.value),
            );
        }
        action.value
    });
    let value = |text: Option<Placed<String>>| text.map(|text| text.value);
    let kind = value(section.text("kind"));
    let path = value(section.text("path"));
    section.finish();
    Some(Tolerance {
        who: who?,
        control: control?,
        action,
        kind,
        path,
    })
}

/// For whom: a model, or stations by name. Everybody is what `[controls]` is for.
fn who(section: &mut Section<'_>) -> Option<Who> {
    let maker = section.text("maker");
    let model = section.text("model");
    let stations = section.texts("stations");
    let tenant = section.text("tenant");
    let everybody = |pattern: &str| pattern == "*";
    match (maker, model) {
        (None, None) if !stations.is_empty() => {
            if let Some(all) = stations.iter().find(|station| everybody(&station.value)) {
                refuse_everybody(section, all.line);
            }
            let tenant = tenant.map_or("default".to_owned(), |tenant| tenant.value);
            Some(Who::Stations {
                tenant: Tenant(tenant.into()),
                identities: stations.into_iter().map(|station| station.value).collect(),
            })
        }
        (Some(maker), Some(model)) if stations.is_empty() && tenant.is_none() => {
            if everybody(&maker.value) && everybody(&model.value) {
                refuse_everybody(section, maker.line);
            }
            Some(Who::Model {
                maker: maker.value,
                model: model.value,
            })
        }
        _ => {
            section.problem(
                section.line,
                "it does not say for whom",
                "Name a model (`maker` and `model`) or `stations` (and their `tenant`), not both.",
            );
            None
        }
    }
}

fn refuse_everybody(section: &Section<'_>, line: usize) {
    section.problem(
        line,
        "this names everybody",
        "Write the mode for the whole fleet in [controls]; a section of its own is for some.",
    );
}
