//! A Chromium without a window, asked over the two pipes of its debugging protocol: keys and clicks are real ones.

use super::Folder;
use serde_json::{Value as Json, json};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// The names by which Chromium is installed.
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
/// How long the browser may take for one answer.
const PATIENCE: Duration = Duration::from_mins(1);

/// A browser with one page.
pub(crate) struct Browser {
    child: Child,
    input: ChildStdin,
    messages: Receiver<Json>,
    events: Vec<Json>,
    session: String,
    asked: u64,
    /// The profile; gone with the browser.
    _profile: Folder,
}

/// The program. None: it is not installed, which is told.
fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let found = NAMES.iter().find_map(|name| folders.iter().map(|it| it.join(name)).find(|it| it.is_file()));
    if found.is_none() {
        let required = std::env::var("STATEWARD_ORACLES").is_ok_and(|value| value == "required");
        assert!(!required, "Chromium is required, but is not installed");
        println!("Chromium is not installed: nothing is looked at");
    }
    found
}

impl Browser {
    /// Starts one; none where it is not installed.
    pub(crate) fn start() -> Option<Self> {
        let profile = Folder::new(&[]);
        // The protocol's pipes are the file descriptors 3 and 4.
        let mut child = Command::new("sh")
            .args(["-c", "exec \"$@\" 3<&0 4>&1 </dev/null >/dev/null 2>&1", "sh"])
            .arg(program()?)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage"])
            .args(["--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"])
            .args(["--remote-debugging-pipe", "--window-size=1440,1000"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell starts");
        let input = child.stdin.take().expect("it is piped");
        let output = BufReader::new(child.stdout.take().expect("it is piped"));
        let (send, messages) = channel();
        std::thread::spawn(move || {
            for message in output.split(0).map_while(Result::ok) {
                let message = serde_json::from_slice(&message).expect("the protocol speaks JSON");
                if send.send(message).is_err() {
                    break;
                }
            }
        });
        let mut browser =
            Self { child, input, messages, events: Vec::new(), session: String::new(), asked: 0, _profile: profile };
        let target = browser.call("Target.createTarget", &json!({ "url": "about:blank" }));
        let attached = json!({ "targetId": target["targetId"], "flatten": true });
        let session = browser.call("Target.attachToTarget", &attached);
        browser.session = session["sessionId"].as_str().map(Into::into).expect("it is attached");
        for domain in ["Page", "Runtime", "Network", "Log"] {
            browser.call(&format!("{domain}.enable"), &json!({}));
        }
        Some(browser)
    }

    /// Asks the browser, and waits for the answer; what it tells meanwhile is kept.
    pub(crate) fn call(&mut self, method: &str, parameters: &Json) -> Json {
        self.asked += 1;
        let mut message = json!({ "id": self.asked, "method": method, "params": parameters });
        if !self.session.is_empty() {
            message["sessionId"] = self.session.as_str().into();
        }
        let text = format!("{message}\0");
        self.input.write_all(text.as_bytes()).expect("the browser listens");
        loop {
            let mut answer = self.messages.recv_timeout(PATIENCE).expect("the browser answers");
            if answer["id"] == self.asked {
                assert!(answer["error"].is_null(), "{method}: {}", answer["error"]);
                return answer["result"].take();
            }
            self.events.push(answer);
        }
    }

    /// Opens a file, with what follows `#`, in a new document, and waits until its script says that it is ready.
    pub(crate) fn open(&mut self, file: &Path, hash: &str) {
        self.load(file, hash);
        self.wait("document.documentElement.dataset.ready === 'yes'");
    }

    /// Opens a file in a new document.
    pub(crate) fn load(&mut self, file: &Path, hash: &str) {
        // Another address first: a change of what follows `#` alone would keep the document.
        self.call("Page.navigate", &json!({ "url": "about:blank" }));
        self.wait("location.protocol === 'about:'");
        self.events.clear();
        let hash = if hash.is_empty() { String::new() } else { format!("#{hash}") };
        self.call("Page.navigate", &json!({ "url": format!("file://{}{hash}", file.display()) }));
        self.wait("location.protocol === 'file:' && document.readyState === 'complete'");
    }

    /// Waits until an expression is true.
    pub(crate) fn wait(&mut self, expression: &str) {
        for _ in 0..1500 {
            let answer = self.evaluate(expression);
            if answer["result"]["value"] == true {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("never true: {expression}\n{:?}", self.complaints());
    }

    fn evaluate(&mut self, expression: &str) -> Json {
        let parameters = json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        self.call("Runtime.evaluate", &parameters)
    }

    /// The value of an expression in the page.
    pub(crate) fn get(&mut self, expression: &str) -> Json {
        let mut answer = self.evaluate(expression);
        assert!(answer["exceptionDetails"].is_null(), "{expression}\n{}", answer["exceptionDetails"]);
        answer["result"]["value"].take()
    }

    /// The text that an expression in the page gives.
    pub(crate) fn text(&mut self, expression: &str) -> String {
        let value = self.get(expression);
        value.as_str().unwrap_or_else(|| panic!("{expression} gives {value}")).to_owned()
    }

    /// Clicks in the middle of what a selector names first.
    pub(crate) fn click(&mut self, selector: &str) {
        let quoted = Json::from(selector).to_string();
        let place = self.get(&format!(
            "(() => {{ const it = document.querySelector({quoted}); it.scrollIntoView({{ block: 'center', behavior: 'instant' }});
               const box = it.getBoundingClientRect(); return [box.x + box.width / 2, box.y + box.height / 2]; }})()"
        ));
        for kind in ["mousePressed", "mouseReleased"] {
            let event = json!({ "type": kind, "x": place[0], "y": place[1], "button": "left", "clickCount": 1 });
            self.call("Input.dispatchMouseEvent", &event);
        }
    }

    /// Presses a key.
    pub(crate) fn press(&mut self, key: &str) {
        let (code, text) = match key {
            "Tab" => (9, ""),
            "Enter" => (13, "\r"),
            "Escape" => (27, ""),
            "End" => (35, ""),
            "Home" => (36, ""),
            "ArrowUp" => (38, ""),
            "ArrowDown" => (40, ""),
            "/" => (191, "/"),
            other => panic!("no code for the key {other}"),
        };
        let event = |kind| json!({ "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code });
        let mut down = event(if text.is_empty() { "rawKeyDown" } else { "keyDown" });
        if !text.is_empty() {
            down["text"] = text.into();
        }
        self.call("Input.dispatchKeyEvent", &down);
        self.call("Input.dispatchKeyEvent", &event("keyUp"));
    }

    /// Types into what has the focus.
    pub(crate) fn type_text(&mut self, text: &str) {
        self.call("Input.insertText", &json!({ "text": text }));
    }

    /// Sets the size of the window's inside.
    pub(crate) fn resize(&mut self, width: u32, height: u32) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.call("Emulation.setDeviceMetricsOverride", &size);
    }

    /// What went wrong since the page was opened: exceptions, `console.error`, and what the browser itself logs as an error.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let bad = |event: &&Json| match event["method"].as_str() {
            Some("Runtime.exceptionThrown") => true,
            Some("Runtime.consoleAPICalled") => matches!(event["params"]["type"].as_str(), Some("error" | "warning")),
            Some("Log.entryAdded") => event["params"]["entry"]["level"] == "error",
            _ => false,
        };
        self.events.iter().filter(bad).map(|event| event["params"].to_string()).collect()
    }

    /// What was asked of any disk or network since the page was opened.
    pub(crate) fn requests(&self) -> Vec<&str> {
        let sent = self.events.iter().filter(|event| event["method"] == "Network.requestWillBeSent");
        sent.filter_map(|event| event["params"]["request"]["url"].as_str()).collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Asked to end, it ends its own processes, too; the profile must not be in use when it is removed.
        let ask = json!({ "id": 0, "method": "Browser.close" });
        let _ = self.input.write_all(format!("{ask}\0").as_bytes());
        for _ in 0..100 {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
