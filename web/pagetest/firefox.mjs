// Runs the page in Firefox: node firefox.mjs PROGRAM URL FILE...; says what it saw as one line of JSON. firefox_test.go judges it.
import puppeteer from "puppeteer-core";

const [program, url, ...files] = process.argv.slice(2);
const browser = await puppeteer.launch({ browser: "firefox", executablePath: program, headless: true });
try {
  const page = await browser.newPage(), problems = [];
  page.on("console", (message) => ["error", "assert"].includes(message.type()) && problems.push(message.text()));
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("request", (request) => request.url().startsWith(new URL(url).origin) || /^(blob|data):/.test(request.url()) || problems.push("request to " + request.url()));
  const until = (condition) => page.waitForFunction(condition, { timeout: 30_000, polling: 50 });
  await page.setViewport({ width: 1280, height: 800 });
  await page.goto(url);
  await until("!!globalThis.oniscope");
  await (await page.$("#files")).uploadFile(...files);
  await until("document.documentElement.dataset.state === 'ready' && Number(document.documentElement.dataset.drawn) > 0");
  const lit = await page.evaluate(() => {
    const drawn = [...document.querySelectorAll("#panes canvas")].find((c) => c.clientWidth > 300), copy = new OffscreenCanvas(drawn.width, drawn.height).getContext("2d");
    copy.drawImage(drawn, 0, 0);
    const pixels = copy.getImageData(0, 0, drawn.width, drawn.height).data;
    const [r, g, b] = getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number);
    let n = 0;
    for (let i = 0; i < pixels.length; i += 4) n += pixels[i + 3] > 0 && Math.abs(pixels[i] - r) + Math.abs(pixels[i + 1] - g) + Math.abs(pixels[i + 2] - b) > 30 ? 1 : 0;
    return n / (pixels.length / 4);
  });
  const before = await page.evaluate("oniscope.view()");
  await page.focus("#stage");
  await page.keyboard.press("+");
  const zoomed = await page.evaluate("oniscope.view()");
  await page.keyboard.press("v");
  await until("!!document.querySelector('#findings .ok, #findings .bad, #findings .warn')");
  const said = await page.evaluate("document.querySelector('#findings').innerText");
  await page.keyboard.down("Control");
  await page.keyboard.press("k");
  await page.keyboard.up("Control");
  await until("document.querySelector('#palette')?.open");
  await page.keyboard.press("Escape");
  const values = await page.evaluate("(async () => { const [id] = await oniscope.streams(); const { values } = await oniscope.values(id, 'SpikeData7', 100, 104); return [...values]; })()");
  console.log(JSON.stringify({ problems, lit, before, zoomed, said, values }));
} finally {
  await browser.close();
}
