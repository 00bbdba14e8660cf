// Uses the status page as people do, in Debian's Chromium. The Go test that runs
// it serves the page and tells, by the environment:
//
//   MODULES  where playwright-core and axe-core are installed
//   PROFILE  an empty directory for the browser
//   SHOTS    where screenshots go
//   SMALL    the address of a director with two services and all states
//   LARGE    that of one with 1,000 services of 10 real servers
//
// The first picture of active connections is refused, as by an agent that is busy.
// POST SMALL/test/down takes the real server 10.0.0.1:443 of 192.0.2.10:443 out of
// service in the next sample, POST SMALL/test/remove removes another.
import assert from "node:assert/strict"
import { createRequire } from "node:module"

const { MODULES, PROFILE, SHOTS, SMALL, LARGE } = process.env
const require = createRequire(`${MODULES}/`)
const { chromium } = require("playwright-core")
const axe = require.resolve("axe-core/axe.min.js")

const web = "tcp/192.0.2.10:443"
const first = `tr[data-row="${web},10.0.0.1:443"]`

const browser = await chromium.launchPersistentContext(PROFILE, {
  executablePath: "/usr/bin/chromium",
  viewport: { width: 1400, height: 900 },
  colorScheme: "light",
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
})
browser.setDefaultTimeout(20000)
const complaints = []
let excused = false // what fails is meant to
browser.on("console", m => { if (m.type() === "error" && !excused) complaints.push(`console: ${m.text()} ${m.location().url}`) })
browser.on("weberror", e => complaints.push(`error: ${e.error()}`))
browser.on("request", r => {
  const url = new URL(r.url())
  if (url.protocol.startsWith("http") && url.hostname !== "127.0.0.1") complaints.push(`a request to ${r.url()}`)
})

async function accessible(page, what) {
  // axe is put in by the browser, past the page's policy.
  const rules = await page.evaluate(`${await (await import("node:fs/promises")).readFile(axe, "utf8")}; axe.run()`)
  for (const v of rules.violations) complaints.push(`axe, ${what}: ${v.id}: ${v.help}: ${v.nodes.slice(0, 3).map(n => n.html).join(" ")}`)
  assert(rules.passes.length > 10, "axe looked at nothing")
}

const shot = (page, name) => page.screenshot({ path: `${SHOTS}/${name}.png` })
const rows = page => page.locator("tr[data-row]").count()
const next = async what => assert.equal((await fetch(`${SMALL}/test/${what}`, { method: "POST" })).status, 200)

const page = await browser.newPage()
await page.goto(`${SMALL}/`)
assert.equal(await rows(page), 8)
assert.equal(await page.locator(`${first} td`).first().textContent(), "up")
await page.locator("#live", { hasText: "live" }).waitFor()
await accessible(page, "light")
await shot(page, "table-light")

// What happens to the director is on the page at once.
await next("down")
const begin = Date.now()
await page.locator(`${first}.down`).waitFor()
console.log(`a real server that is down is shown after ${Date.now() - begin} ms`)
assert.match(await page.locator(`${first} td`).nth(1).textContent(), /weight is 0/)
await next("remove")
await page.locator(`tr[data-row="${web},10.0.0.2:443"]`).waitFor({ state: "detached" })
assert.equal(await rows(page), 7)

// Order, filter, search.
const services = () => page.locator("tr.s").evaluateAll(list => list.map(tr => tr.dataset.row))
const before = await services()
await page.getByRole("link", { name: "Conn/s" }).click()
await page.locator('th[aria-sort="descending"]').waitFor()
assert.deepEqual(await services(), [...before].reverse())
await page.getByLabel("State").selectOption("down")
await page.waitForFunction(() => document.querySelectorAll("tr.r").length === 2)
await page.getByLabel("State").selectOption("")
await page.getByLabel("Search").fill("db8::2")
await page.waitForFunction(() => document.querySelectorAll("tr[data-row]").length === 2)
await page.getByLabel("Search").fill("")
await page.waitForFunction(() => document.querySelectorAll("tr[data-row]").length === 7)

// Light and dark, kept over pages.
const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor)
assert.equal(await paper(), "rgb(255, 255, 255)")
await page.getByRole("button", { name: "Dark" }).click()
assert.notEqual(await paper(), "rgb(255, 255, 255)")
await accessible(page, "dark")
await shot(page, "table-dark")

// The keyboard gets to the table first.
await page.reload()
await page.keyboard.press("Tab")
assert.equal(await page.evaluate(() => document.activeElement.className), "skip")

// A service, its graphs, one of which comes only when asked for again, and a time
// dragged over.
excused = true
await page.locator(`tr[data-row="${web}"] a`).click()
await page.waitForURL(`**/service/${web}`)
assert.notEqual(await paper(), "rgb(255, 255, 255)")
const graph = page.locator("figure img").first()
await graph.scrollIntoViewIfNeeded()
await page.waitForFunction(() => document.querySelector("figure img").naturalWidth > 0)
assert.match(await graph.getAttribute("src"), /theme=dark/)
await page.getByAltText(/^Connections/).scrollIntoViewIfNeeded()
await page.waitForFunction(() => document.querySelector('img[alt^="Connections"]').naturalWidth > 0)
excused = false
await graph.scrollIntoViewIfNeeded()
await accessible(page, "service")
await shot(page, "service-dark")
await graph.hover()
await page.waitForTimeout(500) // the picture's text is read again
const box = await graph.boundingBox()
await page.mouse.move(box.x + box.width * 0.4, box.y + box.height * 0.4)
await page.mouse.down()
await page.mouse.move(box.x + box.width * 0.6, box.y + box.height * 0.5, { steps: 5 })
assert(await page.locator(".span").first().isVisible())
excused = true // the stream of the page that is left
await page.mouse.up()
await page.waitForURL(/start=\d+&end=\d+/)
excused = false
const { searchParams } = new URL(page.url())
const span = searchParams.get("end") - searchParams.get("start")
assert(span > 600 && span < 1000, `a fifth of an hour's picture is ${span} s`)
await page.waitForFunction(() => document.querySelector("figure img").naturalWidth > 0)

// On a phone nothing but the table is wider than the screen.
await page.setViewportSize({ width: 390, height: 800 })
await page.goto(`${SMALL}/`)
assert(await page.evaluate(() => document.documentElement.scrollWidth) <= 390)
await accessible(page, "phone")
await shot(page, "phone")
await page.setViewportSize({ width: 1400, height: 900 })

// Without scripts the same is had by asking for it.
const protocol = await browser.newCDPSession(page)
await protocol.send("Emulation.setScriptExecutionDisabled", { value: true })
await page.goto(`${SMALL}/`)
assert.equal(await rows(page), 7)
await page.getByRole("link", { name: "Down only" }).click()
await page.waitForURL(/state=down/)
assert.equal(await page.locator("tr.r").count(), 2)
await page.getByLabel("Search").fill("web")
await page.getByRole("button", { name: "Show" }).click()
await page.waitForURL(/q=web/)
assert.equal(await rows(page), 3)
await protocol.send("Emulation.setScriptExecutionDisabled", { value: false })

// A large director.
await page.goto(`${LARGE}/`)
const paint = await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0].startTime)
console.log(`1,000 services: first paint after ${Math.round(paint)} ms`)
assert.equal(await rows(page), 1000)
await page.getByRole("button", { name: "10 more" }).first().click()
await page.waitForFunction(() => document.querySelectorAll("tr.r").length === 10)
await page.close()

assert.deepEqual(complaints, [])
await browser.close()
