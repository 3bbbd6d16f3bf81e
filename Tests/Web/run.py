"""The dashboard in a real browser: 200 runs, one of a million steps, and a training that runs meanwhile.

    python3 Tests/Web/run.py PROGRAM [--artifacts FOLDER] [--keep]

Prints what was measured, leaves screenshots in the folder of artifacts, and fails when something is not as
it should be.
"""

import argparse
import http.server
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True
from browser import Browser
from load import Listener, connect, resident_megabytes
from make_runs import SPIKE, make_run, make_runs

MEMORY_LIMIT = 100  # megabytes
TIME_LIMIT = 1000  # milliseconds

# Notes when all rows are there and the chart has a line.
USABLE = """
const began = performance.now();
const timer = setInterval(() => {
  if (document.querySelectorAll('#list .run').length < %d || !document.querySelector('#chart .series path')) return;
  window.usableAfter = performance.now();
  clearInterval(timer);
}, 5);
"""


class Dashboard:
    """The program, serving a folder."""

    def __init__(self, program, folder):
        self.process = subprocess.Popen(
            [program, "dashboard", folder, "--port", "0"], stdout=subprocess.PIPE, text=True)
        self.address = self.process.stdout.readline().split()[-1]
        self.port = int(self.address.rstrip("/").rsplit(":", 1)[1])

    def memory(self, key="VmRSS"):
        return resident_megabytes(self.process.pid, key)

    def stop(self):
        began = time.monotonic()
        self.process.terminate()
        self.process.wait(20)
        return time.monotonic() - began


def row(run):
    return f'document.querySelector(\'.run[data-id="{run}"]\')'


def press(browser, selector):
    browser.evaluate(f"document.querySelector({json.dumps(selector)}).click()")


def choose(browser, *runs):
    """Chooses these runs and no others."""
    browser.evaluate("document.querySelectorAll('.run.chosen input').forEach((box) => box.click())")
    for run in runs:
        browser.evaluate(f"{row(run)}.querySelector('input').click()")


def check(condition, sentence):
    if not condition:
        raise AssertionError(sentence)
    print(f"ok: {sentence}", flush=True)


def opens_fast(browser, dashboard, count):
    script = browser.call("Page.addScriptToEvaluateOnNewDocument", source=USABLE % count)
    times = []
    # The best of several: what else the machine does is not the page's time.
    while len(times) < 10 and not any(value < TIME_LIMIT for value in times):
        browser.open("about:blank")
        browser.open(dashboard.address)
        times.append(browser.wait("window.usableAfter", f"{count} runs and a line"))
    browser.call("Page.removeScriptToEvaluateOnNewDocument", identifier=script["identifier"])
    print("usable after", ", ".join(f"{value:.0f} ms" for value in times))
    check(min(times) < TIME_LIMIT, f"usable within {TIME_LIMIT} ms with {count} runs")


def compares(browser):
    choose(browser, "norms/run-000", "rates/quick/run-001")
    browser.wait("document.querySelectorAll('#chart .series').length === 2", "two lines")
    check(browser.evaluate("document.querySelectorAll('#compare .legend li').length") == 2,
          "two chosen runs are two lines with a legend")
    for metric in ["testAccuracy", "learningRate", "loss"]:
        press(browser, f"input[name=metric][value={metric}]")
        browser.wait("document.querySelectorAll('#chart .series').length === 2", metric)
    press(browser, "input[name=axis][value=seconds]")
    browser.wait("document.querySelector('#chart').textContent.includes('seconds')", "time")
    press(browser, "input[name=axis][value=step]")
    browser.evaluate("document.querySelector('#chart').dispatchEvent(new PointerEvent('pointermove', {clientX: 700, clientY: 300}))")
    check(browser.evaluate("document.querySelectorAll('#tip strong').length") >= 2,
          "pointing shows the values of both")
    press(browser, "#logarithmic")
    press(browser, "#logarithmic")


def shows_long_run(browser):
    choose(browser, "long")
    began = time.monotonic()
    answer = browser.wait(
        "(async () => { const a = await (await fetch('api/series?run=long')).json(); "
        "return a.isComplete && a.series.loss; })()", "a million steps", 60)
    print(f"a million steps are read after {time.monotonic() - began:.2f} s")
    check(len(answer["step"]) <= 1024, f"a million steps are {len(answer['step'])} points")
    check(max(answer["high"]) == SPIKE[1], "the one step far out is kept")
    check(answer["step"][-1] == 1_000_000, "the last step is the last point")
    browser.wait("!!document.querySelector('#chart .series .b0')", "the band from lowest to highest")
    browser.wait("document.querySelectorAll('#map rect').length > 100", "layers of 10 000 looks", 60)


def shows_layers(browser):
    choose(browser, "norms/run-000")
    browser.wait("document.querySelectorAll('#map .row').length === 14", "a row for each layer")
    browser.wait("document.querySelectorAll('#distribution path.b0').length === 2", "bands")
    browser.evaluate("document.querySelectorAll('#map .row')[4].dispatchEvent(new MouseEvent('click'))")
    browser.wait("document.querySelector('#distribution figcaption').textContent.includes('layers.4')",
                 "the layer that was pressed")
    check(True, "the layers' distributions are drawn")


def start_training(program, folder, name):
    return subprocess.Popen(
        [program, "train", "--output", f"{folder}/{name}", "--epochs", "500", "--hidden", "64,32",
         "--threads", "1", "--statistics-interval", "50"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def follows_training(browser, program, folder):
    training = start_training(program, folder, "live")
    try:
        browser.wait(f"{row('live')}?.dataset.state === 'running'", "the new run, without a reload", 60)
        check(True, "a training that begins appears by itself")
        choose(browser, "live")
        browser.wait("document.querySelectorAll('#chart .series').length === 1", "its line", 60)
        line = "document.querySelector('#chart .series path:last-of-type').getAttribute('d').length"
        share = f"{row('live')}.querySelector('progress').value"
        length, done = browser.evaluate(line), browser.evaluate(share)
        browser.wait(f"{line} > {length} && {share} > {done}", "the line to grow", 60)
        check(True, "its line and its bar grow while it runs")
        browser.wait("document.querySelectorAll('#map .row').length > 3", "its layers", 60)
        return training
    except BaseException:
        training.kill()
        raise


def stops_training(browser, training, folder):
    button = f"{row('live')}.querySelector('.stop')"
    browser.evaluate(f"{button}.click()")
    time.sleep(0.5)
    check(training.poll() is None and not os.path.exists(f"{folder}/live/stop"), "one click only asks")
    browser.evaluate(f"{button}.click()")
    check(training.wait(60) == 130, "the second click stops the training as Ctrl-C does")
    check(os.path.exists(f"{folder}/live/checkpoint.safetensors"), "it saved what resuming needs")
    check(not os.path.exists(f"{folder}/live/stop"), "nothing is left of the wish")
    browser.wait(f"{row('live')}.dataset.state === 'interrupted'", "the run shown as interrupted")


def follows_lab(browser, program, folder):
    """Trainings of a lab appear as it runs, and it is stopped by any of them."""
    lab = subprocess.Popen(
        [program, "lab", "run", "learning-rate", "--quick", "--threads", "1", "--output", f"{folder}/lab"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        errors = list(browser.errors)
        browser.wait("!!document.querySelector('.run[data-id^=\"lab/\"][data-state=running] .stop')",
                     "a training of the lab", 60)
        # Trainings are short: one may end before the wish to stop it arrives, and the button of another one
        # has to be pressed.
        press = """(() => {
          const buttons = document.querySelectorAll('.run[data-id^="lab/"][data-state=running] .stop');
          if ([...buttons].some((button) => button.disabled)) return;
          (document.querySelector('.stop.sure') ?? buttons[0])?.click();
        })()"""
        end = time.monotonic() + 60
        while lab.poll() is None and time.monotonic() < end:
            browser.evaluate(press)
            time.sleep(0.05)
        check(lab.poll() == 130, "a lab's trainings are followed, and one button stops the lab")
        browser.errors[:] = errors + [
            error for error in browser.errors[len(errors):] if "409" not in error or "api/stop" not in error]
    finally:
        lab.kill()


class OtherSite(http.server.BaseHTTPRequestHandler):
    """Answers everything with an empty page."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()

    def log_message(self, *_):
        pass


def refuses_other_sites(browser, dashboard, folder):
    """A page of another origin in the same browser can neither read nor stop."""
    training = start_training_stub(folder)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), OtherSite)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    errors = list(browser.errors)
    browser.open(f"http://localhost:{server.server_port}/")
    found = browser.evaluate("""(async () => {
      const outcomes = [];
      for (const [path, options] of [
        ['api/runs', {}], ['api/stop?run=held', {method: 'POST', headers: {'X-EvenKeel': 'stop'}}],
        ['api/stop?run=held', {method: 'POST', mode: 'no-cors'}]]) {
        try { const answer = await fetch('%s' + path, options); outcomes.push(answer.type + answer.status); }
        catch { outcomes.push('refused'); }
      }
      return outcomes;
    })()""" % dashboard.address)
    browser.errors[:] = errors  # The browser reports what it refused.
    server.shutdown()
    check(found[:2] == ["refused", "refused"], "another site reads nothing and sends no header")
    check(not os.path.exists(f"{folder}/held/stop"), "another site stops nothing")
    training.close()
    browser.open(dashboard.address)
    browser.wait("document.querySelectorAll('#list .run').length > 0", "the page again")


def start_training_stub(folder):
    """Holds a run's file as a training does."""
    import fcntl
    make_run(f"{folder}/held", 1)
    file = open(f"{folder}/held/progress.jsonl", "r+")
    fcntl.flock(file, fcntl.LOCK_EX)
    return file


def survives_damage(browser, folder):
    choose(browser, "norms/run-003", "rates/quick/run-004", "depth/run-005")
    browser.wait("document.querySelectorAll('#chart .series').length === 3", "three lines")
    with open(f"{folder}/norms/run-003/progress.jsonl", "a") as file:
        file.write('{"step":4691,"loss":0.')
    with open(f"{folder}/rates/quick/run-004/metrics.jsonl", "w") as file:
        file.write('garbage\n{"epoch":1,"step":99,"trainLoss":1.5,"testAccuracy":0.5}\n{"ep')
    shutil.rmtree(f"{folder}/depth/run-005")
    browser.wait(f"!{row('depth/run-005')}", "the deleted run to go away")
    browser.wait("document.querySelectorAll('#chart .series').length === 2", "its line to go away")
    browser.wait(f"{row('rates/quick/run-004')}.textContent.includes('50.00 %')", "the file that shrank")
    press(browser, "input[name=metric][value=testAccuracy]")
    browser.wait("document.querySelector('#compare .table').textContent.includes('50.00 %')", "its line anew")
    press(browser, "input[name=metric][value=loss]")
    check(True, "a torn line, a file that shrank and a deleted folder leave it alive")


def looks(browser, artifacts):
    """Screenshots, and no scrolling sideways."""
    choose(browser, "norms/run-000", "rates/quick/run-001", "depth/run-002", "norms/run-018")
    browser.wait("document.querySelectorAll('#chart .series').length === 4", "four lines")
    browser.wait("document.querySelectorAll('#distribution path').length >= 3", "the layers")
    sizes = [("desktop", 1400, 1150, False), ("phone", 390, 844, True), ("narrow", 320, 700, True)]
    for scheme in ["light", "dark"]:
        browser.scheme(scheme)
        for name, width, height, is_phone in sizes:
            browser.resize(width, height, is_phone)
            time.sleep(0.4)
            browser.evaluate("scrollTo(0, 0)")
            browser.screenshot(f"{artifacts}/{name}-{scheme}.png")
            if is_phone:
                browser.evaluate("document.querySelector('#charts').scrollIntoView()")
                browser.screenshot(f"{artifacts}/{name}-charts-{scheme}.png")
                browser.evaluate("document.querySelector('#layers').scrollIntoView()")
                browser.screenshot(f"{artifacts}/{name}-layers-{scheme}.png")
            wide = browser.evaluate("document.documentElement.scrollWidth")
            check(wide <= width, f"{name} ({scheme}): {wide} pixels fit into {width}")
    browser.scheme("light")
    browser.resize(1400, 1000)


def serves_many(dashboard, folder, count=50):
    """Many listeners, one of which never reads, while runs change."""
    stuck = connect(dashboard.port, receive_buffer=4096)
    listeners = [Listener(dashboard.port) for _ in range(count - 1)]
    time.sleep(1.5)
    first = [listener.received for listener in listeners]
    for second in range(4):
        for seed in range(0, 60, 3):
            with open(f"{folder}/norms/run-{seed:03}/metrics.jsonl", "a") as file:
                file.write(json.dumps({"epoch": 11 + second, "step": 5000 + second, "testAccuracy": 0.9}) + "\n")
        time.sleep(1)
    time.sleep(1)
    memory = dashboard.memory()
    check(min(first) > 10_000, f"each of {count - 1} listeners is told of all runs")
    check(all(listener.received > before for listener, before in zip(listeners, first)),
          "each of them is told of changes")
    check(memory < MEMORY_LIMIT, f"{count} listeners: the server occupies {memory:.0f} MB")
    for listener in listeners:
        listener.close()
    stuck.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--artifacts", default="artifacts/web")
    arguments = parser.parse_args()
    os.makedirs(arguments.artifacts, exist_ok=True)
    folder = tempfile.mkdtemp(prefix="evenkeel-runs-")
    dashboard = browser = training = None
    try:
        make_runs(folder)
        dashboard = Dashboard(arguments.program, folder)
        print(f"started: the server occupies {dashboard.memory():.0f} MB")
        browser = Browser()
        browser.resize(1400, 1000)
        opens_fast(browser, dashboard, 200)
        compares(browser)
        shows_layers(browser)
        shows_long_run(browser)
        training = follows_training(browser, arguments.program, folder)
        browser.screenshot(f"{arguments.artifacts}/live.png")
        stops_training(browser, training, folder)
        follows_lab(browser, arguments.program, folder)
        looks(browser, arguments.artifacts)
        survives_damage(browser, folder)
        refuses_other_sites(browser, dashboard, folder)
        serves_many(dashboard, folder)
        most = dashboard.memory("VmHWM")
        check(most < MEMORY_LIMIT, f"the server never occupied more than {most:.0f} MB")
        check(not browser.errors, f"no errors in the page {browser.errors or ''}")
        check(dashboard.stop() < 5, "it ends when asked to, with pages open")
    except BaseException:
        if browser:
            try:
                browser.screenshot(f"{arguments.artifacts}/failure.png")
                print("errors in the page:", browser.errors)
            except (RuntimeError, OSError):
                pass
        raise
    finally:
        if training and training.poll() is None:
            training.kill()
        if dashboard and dashboard.process.poll() is None:
            dashboard.process.kill()
        if browser:
            browser.close()
        shutil.rmtree(folder, ignore_errors=True)
    print("All is well")


if __name__ == "__main__":
    main()
