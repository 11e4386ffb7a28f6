//! The page of `stateward map --format html`, as Chromium shows it and as keys and clicks work it. Without Chromium nothing
//! is looked at, unless `STATEWARD_ORACLES=required` is set.

mod support;

use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::fs;
use support::Folder;
use support::browser::Browser;
use support::page::{Page, split};

/// The ids of the rows that are seen, in the order of the page.
fn seen(browser: &mut Browser) -> Vec<String> {
    let rows = browser.get(
        "(() => { const all = JSON.parse(document.getElementById('data').textContent).objects;
           return [...document.querySelectorAll('.row')].filter(row => row.offsetParent !== null)
             .map(row => all[row.dataset.index].id); })()",
    );
    rows.as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()).collect()
}

fn seen_sorted(browser: &mut Browser) -> Vec<String> {
    let mut ids = seen(browser);
    ids.sort();
    ids
}

/// Types into the search, from wherever the focus is; the key selects what stood there.
fn search(browser: &mut Browser, text: &str) {
    browser.get("document.activeElement.blur()");
    browser.press("/");
    browser.type_text(text);
}

const STATUS: &str = "document.getElementById('count').textContent";
/// What follows `#`, when it had the time to change.
const HASH: &str = "new Promise(done => setTimeout(() => done(decodeURIComponent(location.hash)), 200))";
const FOCUS: &str = "document.activeElement.id || document.activeElement.textContent";

#[test]
fn the_answer_comes_first_and_every_object_is_drawn() {
    let Some(mut browser) = Browser::start() else { return };
    let page = Page::violating();
    browser.open(&page.file(), "");
    let hosts = page.ids(|it| it["sort"] == "host").len();
    let lost = page.ids(|it| it["sort"] == "host" && it["verdict"] == "lost").len();
    let answer = browser.text("document.getElementById('answer').textContent");
    assert_eq!(answer, format!("{lost} of {hosts} machines lose data when they are destroyed."));
    assert_eq!(browser.text("document.title"), "violating: ownership map");
    assert_eq!(seen_sorted(&mut browser), page.all());
    assert_eq!(browser.text(STATUS), format!("{} objects shown", page.all().len()));
    let rows = browser.get(
        "[...document.querySelectorAll('.row')].reduce((found, row) => { const word = row.querySelector('.verdict').textContent;
           found[word] = (found[word] ?? 0) + 1; return found; }, {})",
    );
    for (verdict, number) in page.map["summary"]["verdicts"].as_object().unwrap() {
        let word = verdict.replace('-', " ");
        assert_eq!(rows[&word].as_u64().unwrap_or(0), number.as_u64().unwrap(), "{verdict}");
        let tile = browser.text(&format!("document.querySelector('[data-value=\"{verdict}\"]').innerText"));
        assert!(tile.contains(&word) && tile.contains(&number.to_string()), "{tile}");
    }
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn losses_stand_first_and_containers_at_their_host() {
    let Some(mut browser) = Browser::start() else { return };
    let page = Page::violating();
    browser.open(&page.file(), "");
    let order: Vec<&str> =
        page.map["legend"].as_array().unwrap().iter().map(|it| it["verdict"].as_str().unwrap()).collect();
    let groups = browser.get(
        "[...document.querySelectorAll('.group')].map(group => [...group.querySelectorAll('.row')]
           .map(row => [row.querySelector('.verdict').textContent.replaceAll(' ', '-'), row.classList.contains('nested')]))",
    );
    let rank = |row: &Json| order.iter().position(|it| row[0] == **it).unwrap();
    let worst: Vec<usize> = groups
        .as_array()
        .unwrap()
        .iter()
        .map(|group| group.as_array().unwrap().iter().map(rank).min().unwrap())
        .collect();
    assert!(worst.len() > 3 && worst.is_sorted(), "{worst:?}");
    for group in groups.as_array().unwrap() {
        // A row that stands at its host, and that host, are as bad as the worst of them.
        let rows = group.as_array().unwrap();
        let families: Vec<usize> =
            rows.chunk_by(|_, next| next[1] == true).map(|it| it.iter().map(rank).min().unwrap()).collect();
        assert!(families.is_sorted(), "{group}");
    }
    for link in page.map["links"].as_array().unwrap().iter().filter(|it| it["kind"] == "runs-on") {
        let ids = seen(&mut browser);
        let place = |id: &Json| ids.iter().position(|it| *id == **it).unwrap();
        let hosts = page.map["links"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|it| it["from"] == link["from"] && it["kind"] == "runs-on");
        if hosts.count() == 1 {
            assert!(place(&link["to"]) < place(&link["from"]), "{link}");
        }
    }
}

#[test]
fn filters_narrow_combine_and_clear() {
    let Some(mut browser) = Browser::start() else { return };
    let page = Page::violating();
    browser.open(&page.file(), "");
    let mut tried = BTreeMap::new();
    let buttons =
        browser.get("[...document.querySelectorAll('[data-facet]')].map(it => [it.dataset.facet, it.dataset.value])");
    for button in buttons.as_array().unwrap() {
        let (facet, value) = (button[0].as_str().unwrap(), button[1].as_str().unwrap());
        let selector = format!("[data-facet='{facet}'][data-value='{value}']");
        let wanted = page.ids(|it| match facet {
            "tool" => it["owners"].as_array().unwrap().iter().any(|it| it["tool"] == value && it["dormant"] == false),
            facet => it[facet] == value,
        });
        browser.click(&selector);
        assert_eq!(seen_sorted(&mut browser), wanted, "{facet} {value}");
        assert_eq!(browser.text(STATUS), format!("{} of {} objects shown", wanted.len(), page.all().len()));
        assert_eq!(browser.text(HASH), format!("#{facet}={value}"));
        assert_eq!(browser.text(&format!("document.querySelector(\"{selector}\").ariaPressed")), "true");
        assert_eq!(
            browser.get("document.getElementById('nothing').offsetParent !== null"),
            wanted.is_empty(),
            "{value}"
        );
        browser.click(&selector);
        assert_eq!(seen_sorted(&mut browser), page.all(), "{facet} {value}, again");
        *tried.entry(facet.to_owned()).or_insert(0) += 1;
    }
    assert_eq!(tried, BTreeMap::from([("sort".into(), 4), ("tool".into(), 5), ("verdict".into(), 6)]));
    for selector in ["[data-value='lost']", "[data-value='no-data']", "[data-value='host']"] {
        browser.click(selector);
    }
    search(&mut browser, "postgresql");
    let hosts = |it: &Json| it["sort"] == "host" && (it["verdict"] == "lost" || it["verdict"] == "no-data");
    let wanted = page.ids(|it| hosts(it) && it.to_string().to_lowercase().contains("postgresql"));
    assert!(!wanted.is_empty() && wanted.len() < page.ids(hosts).len());
    assert_eq!(seen_sorted(&mut browser), wanted);
    browser.click("#clear");
    assert_eq!(seen_sorted(&mut browser), page.all());
    assert_eq!(browser.text(FOCUS), "search");
    assert_eq!(browser.text(HASH), "");
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn the_search_knows_names_addresses_services_paths_and_roles() {
    let Some(mut browser) = Browser::start() else { return };
    let page = Page::violating();
    browser.open(&page.file(), "");
    let words = [
        ("LEDGER-db-1", "ledger-db-1"),
        ("proxmox_lxc.server", "ledger-db-1"),
        ("vault", "vault-1"),
        ("/var/lib/mysql", "db"),
        ("grafana compose/monitoring", "grafana"),
        ("base ledger", "ledger-db-2"),
    ];
    for (text, name) in words {
        search(&mut browser, text);
        let ids = seen(&mut browser);
        assert!(!ids.is_empty() && ids.len() < page.all().len(), "{text}: {ids:?}");
        let found = page.objects().iter().find(|it| it["name"] == name).unwrap();
        assert!(ids.iter().any(|id| found["id"] == **id), "{text}: {ids:?}");
    }
    search(&mut browser, "nothing is called like this");
    assert_eq!(seen(&mut browser), [""; 0]);
    assert_eq!(browser.text(STATUS), format!("0 of {} objects shown", page.all().len()));
    // Escape empties the field first.
    browser.press("Escape");
    assert_eq!(seen_sorted(&mut browser), page.all());
}

#[test]
fn a_link_shows_the_same() {
    let Some(mut browser) = Browser::start() else { return };
    let page = Page::violating();
    let lost = page.ids(|it| it["verdict"] == "lost" && it["sort"] == "host");
    let hash = format!("verdict=lost,nonsense&sort=host&theme=dark&other=1&open={}", lost[0]);
    browser.open(&page.file(), &hash.replace('"', "%22"));
    assert_eq!(seen_sorted(&mut browser), lost);
    assert_eq!(browser.text("document.documentElement.dataset.theme"), "dark");
    let name = page.objects().iter().find(|it| it["id"] == *lost[0]).unwrap()["name"].as_str().unwrap();
    assert_eq!(browser.text("document.getElementById('panel-name').textContent"), name);
    assert_eq!(browser.text("document.querySelector('.row.open .name').ariaExpanded"), "true");
    assert_eq!(browser.text(HASH), format!("#verdict=lost&sort=host&open={}&theme=dark", lost[0]));
    browser.get("location.hash = 'q=vault'");
    browser.wait("document.getElementById('search').value === 'vault'");
    let wanted = page.ids(|it| it["name"].as_str().unwrap().contains("vault"));
    assert!(wanted.iter().all(|id| seen(&mut browser).contains(id)));
    assert_eq!(browser.get("document.getElementById('panel').hidden"), true);
    assert_eq!(browser.text("document.documentElement.dataset.theme"), "auto");
    browser.click("#theme");
    browser.click("#theme");
    assert_eq!(browser.text(HASH), "#q=vault&theme=dark");
    assert_eq!(browser.text("getComputedStyle(document.body).backgroundColor"), "rgb(14, 17, 22)");
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn keys_reach_open_and_close_everything() {
    let Some(mut browser) = Browser::start() else { return };
    let page = Page::violating();
    browser.open(&page.file(), "");
    browser.press("Tab");
    assert_eq!(browser.text(FOCUS), "skip");
    browser.press("Enter");
    assert_eq!(browser.text(FOCUS), "map");
    // The first group, then the one row that Tab stops at.
    browser.press("Tab");
    assert!(browser.text("document.activeElement.className").contains("fold"));
    browser.press("Enter");
    assert_eq!(browser.text("document.activeElement.ariaExpanded"), "false");
    let fewer = seen(&mut browser).len();
    assert!(fewer < page.all().len(), "the group is folded");
    browser.press("Enter");
    browser.press("Tab");
    let ids = seen(&mut browser);
    let at = "document.querySelector('.row:focus-within') && [...document.querySelectorAll('.row')].indexOf(document.querySelector('.row:focus-within'))";
    for (key, place) in
        [("ArrowUp", 0), ("ArrowDown", 1), ("ArrowDown", 2), ("ArrowUp", 1), ("End", ids.len() - 1), ("Home", 0)]
    {
        browser.press(key);
        assert_eq!(browser.get(at), place, "{key}");
        assert_eq!(browser.get("document.querySelectorAll('.name[tabindex=\"0\"]').length"), 1);
    }
    browser.press("ArrowDown");
    browser.press("Enter");
    assert_eq!(browser.text(FOCUS), "panel-name");
    assert_eq!(browser.text("document.querySelector('.row.open .name').ariaExpanded"), "true");
    browser.press("Tab");
    browser.press("Escape");
    assert_eq!(browser.get("document.getElementById('panel').hidden"), true);
    assert_eq!(browser.get(at), 1, "the focus is back");
    assert_eq!(browser.get("document.querySelectorAll('.row.open').length"), 0);
    browser.press("/");
    assert_eq!(browser.text(FOCUS), "search");
    browser.type_text("a/b");
    browser.press("/");
    assert_eq!(browser.text("document.getElementById('search').value"), "a/b/", "a slash can be typed");
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn details_tell_the_whole_chain() {
    let Some(mut browser) = Browser::start() else { return };
    let page = Page::violating();
    browser.open(&page.file(), "");
    for object in page.objects() {
        let id = object["id"]
            .as_str()
            .unwrap()
            .replace('%', "%25")
            .replace('"', "%22")
            .replace('&', "%26")
            .replace('#', "%23");
        browser.get(&format!("location.hash = {}", Json::from(format!("open={id}"))));
        let name = object["name"].as_str().unwrap();
        browser.wait(&format!("document.getElementById('panel-name')?.textContent === {}", object["name"]));
        let text = browser.text("document.getElementById('panel').textContent");
        let place = |it: &Json| format!("{}:{}", it["place"]["path"].as_str().unwrap(), it["place"]["line"]);
        let mut told = vec![place(object)];
        for owner in object["owners"].as_array().unwrap() {
            told.extend([
                place(owner),
                owner["because"].as_str().unwrap().into(),
                owner["what"].as_str().unwrap().into(),
            ]);
            let run = match (owner["tool"] == "ansible" && owner["does"] == "configures", owner["run"] == true) {
                (false, _) => "",
                (true, true) => ", run from here",
                (true, false) => ", nothing here runs it",
            };
            told.push(format!("{} confidence{run}", owner["confidence"].as_str().unwrap()));
        }
        for said in object["identity"].as_array().unwrap() {
            told.extend([place(said), said["value"].as_str().unwrap().into()]);
            let agrees = if said["agrees"] == true { "as Terraform says" } else { "Terraform does not agree" };
            told.push(format!("{}{agrees}in {}", said["value"].as_str().unwrap(), said["variable"].as_str().unwrap()));
        }
        for datum in object["data"].as_array().unwrap() {
            told.extend([datum["service"].as_str().unwrap().into(), datum["because"].as_str().unwrap().into()]);
            told.extend(datum["evidence"].as_array().unwrap().iter().map(place));
        }
        for finding in object["findings"].as_array().unwrap() {
            told.extend([
                place(finding),
                finding["rule"].as_str().unwrap().into(),
                finding["message"].as_str().unwrap().into(),
            ]);
        }
        told.extend(object["storage"].as_array().unwrap().iter().map(place));
        for part in told {
            assert!(text.contains(&part), "{name}: {part}");
        }
    }
    assert_eq!(browser.complaints(), [""; 0]);
}

/// An address that two tools write in two ways is said in the row, and found by the search.
#[test]
fn identity_that_does_not_agree_is_seen() {
    let Some(mut browser) = Browser::start() else { return };
    let page = Page::violating();
    browser.open(&page.file(), "");
    let apart = page.ids(|it| it["identity"].as_array().unwrap().iter().any(|said| said["agrees"] == false));
    assert!(!apart.is_empty());
    let marked = browser.get(
        "(() => { const all = JSON.parse(document.getElementById('data').textContent).objects;
           return [...document.querySelectorAll('.row')].filter(row => row.textContent.includes('address written in two ways'))
             .map(row => all[row.dataset.index].id).sort(); })()",
    );
    assert_eq!(marked, serde_json::json!(apart));
    search(&mut browser, "10.40.10.33");
    let found = page.ids(|it| it["identity"].as_array().unwrap().iter().any(|said| said["value"] == "10.40.10.33"));
    browser.wait(&format!("{STATUS}.startsWith('{} of')", found.len()));
    assert_eq!(seen_sorted(&mut browser), found);
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn what_is_unsure_or_idle_is_folded_away_and_places_can_be_copied() {
    let Some(mut browser) = Browser::start() else { return };
    // Of two playbooks with one role, something imports the one.
    let twice = Folder::in_git(&[
        ("main.tf", "resource \"proxmox_lxc\" \"db\" {\n  hostname = \"db-1\"\n}\n"),
        ("roles/db/tasks/main.yml", "- ansible.builtin.apt: {name: postgresql}\n"),
        ("site.yml", "- ansible.builtin.import_playbook: db.yml\n"),
        ("db.yml", "- {hosts: db-1, roles: [db]}\n"),
        ("old.yml", "- {hosts: 'db-*', roles: [db]}\n"),
    ]);
    let low = |it: &Json| it["confidence"] == "low" && it["dormant"] == false;
    let many = |it: &Json| it["owners"].as_array().unwrap().iter().any(low) && it["sort"] == "host";
    let idle = |it: &Json| it["owners"].as_array().unwrap().iter().any(|it| it["dormant"] == true);
    let (large, small) = (Page::violating(), Page::of(twice.path()));
    let (large_id, small_id) = (large.ids(many)[0].clone(), small.ids(idle)[0].clone());
    for (page, id, title) in [(&large, large_id, "for all hosts"), (&small, small_id, "that nothing here runs")] {
        browser.open(&page.file(), "");
        browser.get(&format!("location.hash = 'open=' + encodeURIComponent({})", Json::from(id.as_str())));
        browser.wait("!document.getElementById('panel').hidden");
        let fold =
            format!("[...document.querySelectorAll('#panel summary')].find(it => it.textContent.includes('{title}'))");
        browser.wait(&format!("{fold} !== undefined"));
        assert_eq!(browser.get(&format!("{fold}.parentElement.open")), false, "{title}");
        let seen = format!("{fold}.parentElement.querySelector('li').checkVisibility()");
        assert_eq!(browser.get(&seen), false, "{title}");
        browser.get(&format!("{fold}.focus()"));
        browser.press("Enter");
        assert_eq!(browser.get(&seen), true, "{title}");
    }
    let place = browser.text("document.querySelector('#panel .place code').textContent");
    browser.click("#panel .copy");
    browser.wait("document.getElementById('said').textContent !== ''");
    assert_eq!(browser.text("document.getElementById('said').textContent"), format!("Copied {place}"));
    browser.click("#close");
    assert_eq!(browser.get("document.getElementById('panel').hidden"), true);
    assert_eq!(browser.complaints(), [""; 0]);
}

/// Names that would be markup, if anything took them for it.
const HOSTILE: [&str; 3] = [
    "</script><img src=x onerror=\"document.title='owned'\">",
    "\"><b id=owned>bold</b>",
    "<!--<script>document.title='owned'</script>",
];

/// A project whose host, play, path and folder have such names.
fn hostile() -> Folder {
    let [first, second, third] = HOSTILE;
    let quoted = |text: &str| Json::from(text).to_string();
    let terraform = format!(
        "resource \"proxmox_lxc\" \"db\" {{\n  hostname = {}\n  rootfs {{\n    storage = \"local\"\n    size = \"8G\"\n  }}\n}}\n",
        quoted(first)
    );
    let play = format!(
        "- name: {}\n  hosts: all\n  tasks:\n    - name: {}\n      ansible.builtin.apt:\n        name: postgresql\n",
        quoted(second),
        quoted(third)
    );
    let inventory = "all:\n  hosts:\n    \"<i id=owned>host</i>\":\n      ansible_host: 192.0.2.7\n";
    Folder::in_git(&[
        ("<b id=owned>{{map}}/main.tf", &terraform),
        ("ansible/site.yml", &play),
        ("ansible/inventory.yml", inventory),
    ])
}

#[test]
fn names_that_look_like_markup_are_text() {
    let Some(mut browser) = Browser::start() else { return };
    let project = hostile();
    let page = Page::of(project.path());
    let text = page.map.to_string();
    for name in [HOSTILE[0], HOSTILE[1], "<b id=owned>{{map}}", "<i id=owned>"] {
        assert!(text.contains(Json::from(name).to_string().trim_matches('"')), "the map has {name}");
    }
    browser.open(&page.file(), "");
    for id in page.all() {
        browser.get(&format!("location.hash = 'open=' + encodeURIComponent({})", Json::from(id.as_str())));
        let object = page.objects().iter().find(|it| it["id"] == *id).unwrap();
        browser.wait(&format!("document.getElementById('panel-name')?.textContent === {}", object["name"]));
        assert_eq!(browser.get("document.querySelectorAll('#owned, b, i, img').length"), 0);
    }
    assert_eq!(browser.get("document.querySelectorAll('script').length"), 2);
    assert!(browser.text("document.getElementById('map').textContent").contains(HOSTILE[0]));
    search(&mut browser, HOSTILE[0]);
    assert_eq!(seen(&mut browser).len(), 1);
    assert!(!browser.text("document.title").contains("owned"));
    assert_eq!(browser.complaints(), [""; 0]);
    // Were markup ever let in, the policy would keep it from running.
    browser.get("document.body.insertAdjacentHTML('beforeend', `<img src=x onerror=\"document.title='owned'\">`)");
    browser.wait("document.querySelector('img').complete");
    browser.get("new Promise(done => setTimeout(done, 100))");
    assert!(!browser.text("document.title").contains("owned"));
    assert!(browser.complaints().iter().any(|it| it.contains("Content Security Policy")), "{:?}", browser.complaints());
}

#[test]
fn nothing_is_asked_of_a_network() {
    let Some(mut browser) = Browser::start() else { return };
    let page = Page::violating();
    browser.open(&page.file(), "");
    browser.press("Tab");
    let file = format!("file://{}", page.file().display());
    assert_eq!(browser.requests(), [file.as_str()]);
    let text = fs::read_to_string(page.file()).unwrap();
    let (before, _, after) = split(&text);
    for part in [before, after] {
        let part = part.replace("http://www.w3.org/2000/svg", "");
        for word in
            ["http:", "https:", "//cdn", "@import", "url(", "fetch(", "XMLHttpRequest", "innerHTML", "localStorage"]
        {
            assert!(!part.contains(word), "{word}");
        }
    }
}

#[test]
fn a_page_without_script_and_an_empty_map_say_so() {
    let Some(mut browser) = Browser::start() else { return };
    let folder = Folder::in_git(&[("README.md", "Nothing to run.\n")]);
    let page = Page::of(folder.path());
    assert_eq!(page.objects().len(), 0);
    browser.open(&page.file(), "");
    assert_eq!(browser.text("document.getElementById('answer').textContent"), "Nothing to map.");
    let text = browser.text("document.body.innerText");
    assert!(text.contains("no inventory host") && !text.contains("switched off"), "{text}");
    assert_eq!(browser.get("document.getElementById('tools').checkVisibility()"), false);
    assert_eq!(browser.complaints(), [""; 0]);
    browser.call("Emulation.setScriptExecutionDisabled", &serde_json::json!({ "value": true }));
    browser.load(&page.file(), "");
    let text = browser.text("document.body.innerText");
    assert!(text.contains("JavaScript, which is switched off") && !text.contains("Nothing to map"), "{text}");
}

/// A map of many hosts, and of containers on them, made from the objects of another.
fn large(map: &Json, hosts: usize, containers: usize) -> Json {
    let mut large = map.clone();
    let models: Vec<&Json> = map["objects"].as_array().unwrap().iter().filter(|it| it["sort"] == "host").collect();
    let mut objects = Vec::new();
    let mut verdicts: BTreeMap<String, usize> = BTreeMap::new();
    for number in 0..hosts + containers {
        let mut object = models[number % models.len()].clone();
        object["id"] = format!("made:{number}").into();
        object["name"] = format!("node-{number:05}").into();
        object["environment"] = format!("sites/{}", number % 40).into();
        if number >= hosts {
            object["sort"] = "container".into();
        }
        *verdicts.entry(object["verdict"].as_str().unwrap().to_owned()).or_default() += 1;
        objects.push(object);
    }
    let link = |number: usize| serde_json::json!({ "from": format!("made:{number}"), "to": format!("made:{}", number % hosts), "kind": "runs-on" });
    large["links"] = (hosts..hosts + containers).map(link).collect();
    large["objects"] = objects.into();
    large["summary"]["verdicts"] = serde_json::to_value(verdicts).unwrap();
    large
}

#[test]
fn large_estates_stay_quick() {
    let Some(mut browser) = Browser::start() else { return };
    let mut page = Page::violating();
    for (hosts, containers) in [(1000, 0), (1000, 4000)] {
        let map = large(&page.map, hosts, containers);
        page.replace(map);
        browser.open(&page.file(), "");
        assert_eq!(browser.get("document.querySelectorAll('.row').length"), hosts + containers);
        let ready = browser.get("performance.getEntriesByName('ready')[0].startTime");
        // From the click to the layout that follows; the best of a few, as other work may come between.
        let filter = "Math.min(...[1, 2, 3, 4, 5, 6].map(() => { const start = performance.now();
            document.querySelector('[data-value=lost]').click(); document.body.offsetHeight; return performance.now() - start; }))";
        let filtered = browser.get(filter).as_f64().unwrap();
        let typed = browser.get("Math.min(...['node-0099', 'v', 'vault', ''].map(text => { const field = document.getElementById('search');
            const start = performance.now(); field.value = text; field.dispatchEvent(new Event('input')); document.body.offsetHeight;
            return performance.now() - start; }))");
        println!(
            "{} objects: ready after {ready} ms, filtered in {filtered:.1} ms, searched in {typed} ms",
            hosts + containers
        );
        assert!(filtered < 100.0, "{hosts} hosts and {containers} containers: {filtered} ms");
        assert!(typed.as_f64().unwrap() < 100.0, "{hosts} hosts and {containers} containers: {typed} ms");
        search(&mut browser, "node-00999");
        assert_eq!(seen(&mut browser), ["made:999"]);
        assert_eq!(browser.complaints(), [""; 0]);
    }
}

/// The pairs of colours whose contrast is below 4.5 (3 for large text), of every text that is seen.
const FAINT: &str = include_str!("support/contrast.js");

#[test]
fn every_text_can_be_read_in_both_themes() {
    let Some(mut browser) = Browser::start() else { return };
    let mut page = Page::violating();
    // Each verdict once, and what is chosen and open besides.
    let mut map = page.map.clone();
    let legend = map["legend"].as_array().unwrap().clone();
    for (object, entry) in map["objects"].as_array_mut().unwrap().iter_mut().rev().zip(&legend) {
        object["verdict"] = entry["verdict"].clone();
    }
    page.replace(map);
    for theme in ["light", "dark"] {
        for hash in [
            String::new(),
            "verdict=lost,exposed,unknown,guarded,kept,no-data&tool=terraform".into(),
            format!("open={}", page.all()[0]),
        ] {
            browser.open(&page.file(), &format!("{}&theme={theme}", hash.replace('"', "%22")));
            let found = browser.get(FAINT);
            assert!(found[0].as_u64().unwrap() > 200, "{found}");
            assert_eq!(found[1], serde_json::json!([]), "{theme} {hash}");
        }
    }
    assert_eq!(browser.complaints(), [""; 0]);
}
