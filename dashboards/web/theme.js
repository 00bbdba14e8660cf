// Light or dark, before anything is painted: what was chosen here once, else what
// the system prefers.
(() => {
  const root = document.documentElement
  const dark = () => (root.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark"
  let chosen = null
  try {
    chosen = localStorage.getItem("theme")
  } catch {
    // storage may be forbidden; then the choice lasts as long as the page
  }
  if (chosen === "light" || chosen === "dark") root.dataset.theme = chosen
  document.addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("theme")
    const label = () => { button.textContent = dark() ? "Light" : "Dark" }
    button.hidden = false
    label()
    button.addEventListener("click", () => {
      root.dataset.theme = dark() ? "light" : "dark"
      try {
        localStorage.setItem("theme", root.dataset.theme)
      } catch {
        // as above
      }
      label()
      document.dispatchEvent(new Event("themechange"))
    })
  })
})()
