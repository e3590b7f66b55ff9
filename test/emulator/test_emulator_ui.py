"""The page at /ui in a real browser: what it shows and does, by mouse and keyboard, in both schemes, on a phone's width."""

import base64
import json
import pathlib
import shutil
import time
import urllib.request

import pytest

selenium = pytest.importorskip("selenium")
from selenium import webdriver  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.support.ui import Select, WebDriverWait  # noqa: E402

from conftest import ROOT, Emulator  # noqa: E402

BROWSER, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(not BROWSER or not DRIVER, reason="there is no Chromium here (tools/bootstrap.sh browser)")
TOPIC, SUBSCRIPTION = "projects/p/topics/orders", "projects/p/subscriptions/orders-all"
SCREENSHOTS = ROOT / "build/screenshots"


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1300,1500"):
        options.add_argument(argument)
    options.add_argument(f"--user-data-dir={tmp_path_factory.mktemp('browser')}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    made = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield made
    made.quit()


class Page:
    def __init__(self, browser, emulator):
        self.browser, self.emulator = browser, emulator
        browser.get(f"http://{emulator.host}/ui")

    def one(self, css):
        return self.browser.find_element(By.CSS_SELECTOR, css)

    def text(self, css):
        """Asked of the page in one go: its tables are made anew once a second."""
        return self.browser.execute_script("return document.querySelector(arguments[0])?.innerText ?? ''", css)

    def click(self, css):
        self.one(css).click()

    def button(self, name, inside):
        return next(one for one in self.browser.find_elements(By.CSS_SELECTOR, f"{inside} button") if one.text == name)

    def fill(self, css, text):
        field = self.one(css)
        field.clear()
        field.send_keys(text)

    def shows(self, css, text):
        WebDriverWait(self.browser, 15, 0.1, ignored_exceptions=[]).until(lambda _: text in self.text(css), f"{css}: {text}")

    def row(self, name):
        script = "return [...document.querySelectorAll('#subscriptions tbody tr')].map(row => [...row.cells].map(cell => cell.innerText))"
        return next(cells for cells in self.browser.execute_script(script) if name in cells[0])

    def keep(self, name):
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.browser.save_screenshot(str(SCREENSHOTS / f"{name}.png"))

    def complaints(self):
        return [entry["message"] for entry in self.browser.get_log("browser") if entry["level"] == "SEVERE"]


@pytest.fixture
def emulator():
    with Emulator("--subscription", f"{SUBSCRIPTION}={TOPIC}", "--record") as running:
        yield running


@pytest.fixture
def page(browser, emulator):
    made = Page(browser, emulator)
    made.shows("#subscriptions tbody", SUBSCRIPTION)
    made.complaints()
    return made


def post(emulator, path, body):
    request = urllib.request.Request(f"http://{emulator.host}{path}", json.dumps(body).encode())
    return json.load(urllib.request.urlopen(request, timeout=10))


def publish(emulator, *texts, **settings):
    messages = [{"data": base64.b64encode(text.encode()).decode(), **settings} for text in texts]
    post(emulator, f"/v1/{TOPIC}:publish", {"messages": messages})


def test_a_message_goes_all_the_way(page):
    page.fill("#data", "héllo <b>")
    page.fill("#attributes", "kind=greeting, n=1")
    page.button("Publish", "#publish").click()
    page.shows("#peeked", "héllo <b>")
    assert "kind=greeting" in page.text("#peeked") and "ready" in page.text("#peeked")
    assert page.row(SUBSCRIPTION)[1] == "1"
    page.click("#pull")
    page.shows("#pulled", "héllo <b>")
    page.shows("#peeked", "lent")
    page.button("Nack", "#pulled").click()
    page.shows("#pulled", "nothing")
    page.shows("#peeked", "ready, 1 deliveries")
    page.click("#pull")
    page.shows("#pulled", "héllo <b>")
    page.button("Acknowledge", "#pulled").click()
    page.shows("#peeked", "nothing")
    assert post(page.emulator, f"/v1/{SUBSCRIPTION}:pull", {"maxMessages": 1, "returnImmediately": True}) == {}
    assert not page.complaints()


def test_looking_takes_nothing(page):
    publish(page.emulator, "still here")
    page.shows("#peeked", "still here")
    time.sleep(2.5)  # it looks once a second
    assert page.emulator.stats("orders-all") == {**page.emulator.stats("orders-all"), "backlog": 1, "ready": 1, "lent": 0}


def test_rates_are_live(page):
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline and page.text("#topics tbody td:nth-child(3)") in ("–", "0.0"):
        publish(page.emulator, *["x"] * 50)
        time.sleep(0.2)
    assert float(page.text("#topics tbody td:nth-child(3)")) > 0


def test_topics_and_subscriptions_are_made(page):
    page.fill("#make-topic input", "projects/p/topics/second")
    page.button("Create topic", "#make-topic").click()
    page.shows("#topics tbody", "projects/p/topics/second")
    page.fill("#make-subscription input", "projects/p/subscriptions/of-the-second")
    Select(page.one("#make-subscription select")).select_by_visible_text("projects/p/topics/second")
    page.button("Create subscription", "#make-subscription").click()
    page.shows("#subscriptions tbody", "of-the-second")
    page.fill("#make-topic input", "projects/p/topics/x")
    page.button("Create topic", "#make-topic").click()
    page.shows("#status", "Invalid")
    assert page.one("#status").get_attribute("class") == "bad"


def test_seeking(page):
    publish(page.emulator, "one", "two")
    page.shows("#peeked", "two")
    page.click("#seek-now")
    page.shows("#peeked", "nothing")


def test_faults_on_and_off(page):
    page.fill("#method", "Publish")
    page.fill("#kind", "status=ABORTED")
    page.button("Add fault", "#faults").click()
    page.shows("#rules", "Publish status probability=1")
    page.fill("#data", "x")
    page.button("Publish", "#publish").click()
    page.shows("#status", "injected fault")
    page.click("#clear-faults")
    page.shows("#rules", "none")


def test_the_record_is_a_timeline(page):
    publish(page.emulator, "one", "two")
    page.shows("#events", "2 events")
    WebDriverWait(page.browser, 10).until(lambda _: len(page.browser.find_elements(By.CSS_SELECTOR, "#timeline circle")) == 2)
    assert TOPIC in page.text("#timeline")
    page.button("Stop recording", "#record").click()
    page.shows("#recording", "Record")
    assert page.emulator.command("stats") and "recording is off" in page.emulator.command("record off")
    page.click("#clear-record")
    page.shows("#events", "0 events")


def test_by_the_keyboard(page):
    post(page.emulator, f"/v1/{TOPIC}:publish", {"messages": [{"data": "a2V5cw=="}]})
    body = page.one("body")
    body.send_keys("p")
    assert page.browser.switch_to.active_element.get_attribute("id") == "data"
    page.browser.switch_to.active_element.send_keys("typed", Keys.TAB, Keys.TAB, Keys.TAB, Keys.ENTER)
    page.shows("#peeked", "typed")
    page.one("#messages").send_keys("g")
    page.shows("#pulled", "typed")
    for number, name in enumerate(("topics", "subscriptions", "publish", "messages", "faults", "record"), 1):
        page.browser.switch_to.active_element.send_keys(str(number))
        assert page.browser.switch_to.active_element.get_attribute("id") == name


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1300], ids=["phone", "desk"])
def test_schemes_and_widths(page, scheme, width):
    publish(page.emulator, "first message", attributes={"kind": "greeting"}, orderingKey="customer-1")
    post(page.emulator, f"/v1/{SUBSCRIPTION}:pull", {"maxMessages": 1})
    publish(page.emulator, "x" * 300, '{"json": true}')
    page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
    page.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": width, "height": 2200 if width < 500 else 1500, "deviceScaleFactor": 1, "mobile": width < 500})
    try:
        page.shows("#peeked", "json")
        page.shows("#events", "4 events")
        script = "return [document.documentElement.scrollWidth, innerWidth, getComputedStyle(document.body).backgroundColor]"
        scroll, inner, background = page.browser.execute_script(script)
        assert scroll <= inner, "the page is wider than its window"
        assert (sum(map(int, background[4:-1].split(","))) < 200) == (scheme == "dark"), background
        page.keep(f"ui-{scheme}-{width}")
    finally:
        page.browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_a_token_is_asked_for(browser):
    with Emulator("--subscription", f"{SUBSCRIPTION}={TOPIC}", "--require-token", "secret") as emulator:
        page = Page(browser, emulator)
        page.shows("#status", "no access token")
        page.fill("#token", "secret")
        page.button("Use it", "#login").click()
        page.shows("#subscriptions tbody", SUBSCRIPTION)


def test_nothing_is_fetched_from_elsewhere(page):
    names = page.browser.execute_script("return performance.getEntriesByType('resource').map(one => one.name)")
    assert names and all(name.startswith(f"http://{page.emulator.host}/ui/") for name in names), names
    text = pathlib.Path(ROOT / "emulator/pages/ui.html").read_text()
    assert "http://" not in text.replace("http://www.w3.org/2000/svg", "") and "https://" not in text


def test_another_origin_cannot_use_it(browser, emulator, tmp_path):
    """A page of another origin: neither reads nor does anything, and cannot show it in a frame."""
    hostile = tmp_path / "index.html"
    hostile.write_text(f"""<iframe src="http://{emulator.host}/ui"></iframe><script>
      const done = [];
      for (const [path, options] of [["/ui/state", {{}}], ["/v1/reset", {{method: "POST"}}], ["/v1/{TOPIC}:publish", {{method: "POST", mode: "no-cors", body: '{{"messages":[{{"data":"eA=="}}]}}'}}]])
        done.push(fetch("http://{emulator.host}" + path, options).then(r => r.text()).then(text => text || "nothing", () => "refused"));
      Promise.all(done).then(all => document.title = "done " + all.join(" "));
    </script>""")
    browser.get(hostile.as_uri())
    WebDriverWait(browser, 15).until(lambda _: browser.title.startswith("done"))
    assert browser.title == "done refused refused nothing"  # the last is opaque: it says nothing either way
    assert emulator.stats("orders-all")["backlog"] == 0
