//! The contrast of every pair of colours that text, borders and focus use, computed from the style sheet.
//!
//! A new colour, or a changed one, can't slip below WCAG's limits: 4.5 for text, 3 for what isn't text.

use std::collections::HashMap;

const SHEET: &str = include_str!("../../../style/main.css");

/// Text on its background.
const TEXT: &[(&str, &str)] = &[
    ("fg", "canvas"),
    ("fg", "surface"),
    ("fg", "inset"),
    ("fg", "raised"),
    ("fg", "hover"),
    ("fg", "selected"),
    ("fg-muted", "canvas"),
    ("fg-muted", "surface"),
    ("fg-muted", "inset"),
    ("fg-muted", "raised"),
    ("fg-muted", "hover"),
    ("accent", "canvas"),
    ("accent", "surface"),
    ("accent", "inset"),
    ("accent", "hover"),
    ("accent", "ok-tint"),
    ("accent", "busy-tint"),
    ("accent", "warn-tint"),
    ("accent", "bad-tint"),
    ("accent-hover", "surface"),
    ("on-accent", "accent"),
    ("on-accent", "accent-hover"),
    ("on-bad", "bad-solid"),
    ("ok", "ok-tint"),
    ("busy", "busy-tint"),
    ("warn", "warn-tint"),
    ("bad", "bad-tint"),
    ("idle", "idle-tint"),
    ("ok", "surface"),
    ("bad", "surface"),
    ("bad", "raised"),
    ("fg", "ok-tint"),
    ("fg", "busy-tint"),
    ("fg", "warn-tint"),
    ("fg", "bad-tint"),
    ("t-black", "inset"),
    ("t-red", "inset"),
    ("t-green", "inset"),
    ("t-yellow", "inset"),
    ("t-blue", "inset"),
    ("t-magenta", "inset"),
    ("t-cyan", "inset"),
    ("t-white", "inset"),
];

/// Borders of controls, and focus rings.
const SHAPES: &[(&str, &str)] = &[
    ("line-strong", "canvas"),
    ("line-strong", "surface"),
    ("accent", "canvas"),
    ("accent", "surface"),
    ("accent", "inset"),
    ("accent", "bad-tint"),
    ("bad", "surface"),
];

type Colour = [f64; 3];

fn hex(text: &str) -> Colour {
    let digits = text.trim().trim_start_matches('#');
    [0, 2, 4].map(|at| f64::from(u8::from_str_radix(&digits[at..at + 2], 16).expect("two hex digits")) / 255.0)
}

/// Every token of the form `--name: light-dark(#…, #…)` or `--name: var(--other)`.
fn tokens() -> HashMap<&'static str, [Colour; 2]> {
    let mut tokens = HashMap::new();
    let mut aliases = Vec::new();
    for piece in SHEET.split(['{', ';', '}']) {
        let piece = piece.rsplit("*/").next().unwrap_or(piece);
        let Some((name, value)) = piece.trim().strip_prefix("--").and_then(|token| token.split_once(':')) else {
            continue;
        };
        let value = value.trim();
        if let Some((light, dark)) =
            value.strip_prefix("light-dark(").and_then(|pair| pair.trim_end_matches(')').split_once(','))
        {
            tokens.insert(name, [hex(light), hex(dark)]);
        } else if let Some(other) = value.strip_prefix("var(--") {
            aliases.push((name, other.trim_end_matches(')')));
        }
    }
    for (name, other) in aliases {
        let colour = tokens[other];
        tokens.insert(name, colour);
    }
    tokens
}

/// The formula of WCAG 2.2.
fn contrast(a: Colour, b: Colour) -> f64 {
    let luminance = |colour: Colour| {
        let [r, g, b] = colour.map(|c| if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) });
        0.2126 * r + 0.7152 * g + 0.0722 * b
    };
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[test]
fn every_pair_is_legible_in_both_themes() {
    let tokens = tokens();
    let mut faint = Vec::new();
    for (pairs, limit) in [(TEXT, 4.5), (SHAPES, 3.0)] {
        for (over, under) in pairs {
            let (over_colours, under_colours) = (tokens[over], tokens[under]);
            for (theme, (a, b)) in ["light", "dark"].iter().zip(over_colours.into_iter().zip(under_colours)) {
                let ratio = contrast(a, b);
                if ratio < limit {
                    faint.push(format!("--{over} on --{under}, {theme}: {ratio:.2} is less than {limit}"));
                }
            }
        }
    }
    assert!(faint.is_empty(), "{faint:#?}");
}

#[test]
fn the_formula_is_right() {
    assert!((contrast(hex("#000000"), hex("#FFFFFF")) - 21.0).abs() < 0.01);
    assert!((contrast(hex("#1A5FB4"), hex("#FFFFFF")) - 6.3).abs() < 0.05);
}
