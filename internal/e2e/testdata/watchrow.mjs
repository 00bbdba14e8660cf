// Looks at a row of the status page in Debian's Chromium, inside of the lab's
// guest, and says what it shows. The Go test that runs it tells, by the
// environment:
//
//   MODULES  where playwright-core is installed
//   PROFILE  an empty directory for the browser
//   PAGE     the page's address
//   ROW      the row's name
//
// It writes a line "STATE MILLISECONDS" whenever the row shows another state, up
// or down, by colour and by word: first once the page follows the director, and
// from then on with the time of the change since 1970, by the guest's clock. It
// ends when its input does.
import { createRequire } from "node:module"

const { MODULES, PROFILE, PAGE, ROW } = process.env
const { chromium } = createRequire(`${MODULES}/`)("playwright-core")

// One process, for the guest has one processor: in several the browser takes
// four times as long to start.
const browser = await chromium.launchPersistentContext(PROFILE, {
  executablePath: "/usr/bin/chromium",
  viewport: { width: 1000, height: 400 },
  timeout: 240000,
  args: ["--headless", "--single-process", "--no-zygote", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
})
browser.setDefaultTimeout(180000)
const page = await browser.newPage()
page.on("pageerror", e => console.error(`page: ${e}`))
await page.exposeFunction("say", (state, at) => console.log(`${state} ${at}`))
await page.goto(PAGE)
const tick = await page.locator("#tick").textContent()
await page.waitForFunction(old => document.getElementById("tick").textContent !== old, tick)
await page.evaluate(id => {
  let last
  const look = () => {
    const row = document.querySelector(`tr[data-row="${CSS.escape(id)}"]`)
    const state = ["up", "down"].find(s => row?.classList.contains(s) && row.innerText.match(`\\b${s}\\b`))
    if (state && state !== last) say(last = state, Date.now())
  }
  new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true })
  look()
}, ROW)
process.stdin.resume().on("end", () => browser.close())
