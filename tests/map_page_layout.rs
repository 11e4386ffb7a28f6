//! The page of `stateward map --format html` in windows of every width: nothing is cut, whatever it is called. Without Chromium
//! nothing is looked at, unless `STATEWARD_ORACLES=required` is set.

mod support;

use support::browser::Browser;
use support::page::Page;

const FOCUS: &str = "document.activeElement.id || document.activeElement.textContent";

/// What is seen and reaches beyond the row, button or panel that holds it, or beyond the window.
const CUT: &str = "(() => {
  const inside = it => it.checkVisibility() && !it.closest('.unseen, svg, #skip');
  const beyond = [...document.querySelectorAll('#page *, #panel *')].filter(inside).filter(it => {
    const holder = (it.closest('.row, #panel, button') ?? document.body).getBoundingClientRect();
    return it.getBoundingClientRect().right > Math.min(holder.right, innerWidth) + 1;
  });
  if (document.documentElement.scrollWidth > innerWidth) beyond.push(document.documentElement);
  return beyond.slice(-5).map(it => it.outerHTML.slice(0, 120));
})()";

#[test]
fn small_windows_and_still_ones_are_served() {
    let Some(mut browser) = Browser::start() else { return };
    let page = Page::violating();
    let still = serde_json::json!({ "features": [{ "name": "prefers-reduced-motion", "value": "reduce" }] });
    browser.call("Emulation.setEmulatedMedia", &still);
    for width in [400, 720, 1000, 1440] {
        browser.resize(width, 900);
        browser.open(&page.file(), "");
        assert_eq!(browser.get(CUT), serde_json::json!([]), "{width}");
        browser.click(".row .name");
        assert_eq!(browser.text(FOCUS), "panel-name", "{width}");
        assert_eq!(browser.get(CUT), serde_json::json!([]), "{width}, with details");
        let covered = width <= 1100;
        assert_eq!(browser.get("document.getElementById('page').inert"), covered, "{width}");
        assert_eq!(browser.text("getComputedStyle(document.getElementById('panel')).animationName"), "none");
        browser.press("Escape");
        assert!(browser.text("document.activeElement.className").contains("name"), "{width}");
    }
    let print = serde_json::json!({ "media": "print" });
    browser.call("Emulation.setEmulatedMedia", &print);
    assert_eq!(browser.get("document.getElementById('tools').checkVisibility()"), false);
    let rows = "[...document.querySelectorAll('.row')].filter(row => row.offsetParent !== null).length";
    assert_eq!(browser.get(rows), page.all().len());
    assert_eq!(browser.complaints(), [""; 0]);
}

/// Names as long as generated ones get, without a place to break at, stay in their rows.
#[test]
fn long_names_are_not_cut() {
    let Some(mut browser) = Browser::start() else { return };
    let mut page = Page::violating();
    let mut map = page.map.clone();
    for (at, object) in map["objects"].as_array_mut().unwrap().iter_mut().enumerate() {
        for key in ["name", "kind", "environment"] {
            object[key] = format!("{key}{at}{}", "x".repeat(90)).into();
        }
        for part in ["owners", "data", "identity"] {
            for entry in object[part].as_array_mut().unwrap() {
                for key in ["what", "service", "path", "because", "value", "variable"] {
                    if entry[key].is_string() {
                        entry[key] = format!("/{}", "y".repeat(120)).into();
                    }
                }
            }
        }
    }
    page.replace(map);
    for width in [320, 400, 1000, 1280] {
        browser.resize(width, 900);
        browser.open(&page.file(), "");
        assert_eq!(browser.get(CUT), serde_json::json!([]), "{width}");
        browser.click(".row .name");
        assert_eq!(browser.get(CUT), serde_json::json!([]), "{width}, with details");
        // The check itself: a line that does not wrap is found.
        browser.get("(() => { document.querySelector('.row .meta').style.whiteSpace = 'nowrap'; })()");
        assert_ne!(browser.get(CUT), serde_json::json!([]), "{width}, a line that is not broken");
    }
    assert_eq!(browser.complaints(), [""; 0]);
}
