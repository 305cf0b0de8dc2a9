// Light or dark, where the reader wants it otherwise than the system has it.
"use strict";
{
  const theme = document.getElementById("theme");
  const themes = ["system", "light", "dark"];
  theme.hidden = false;
  theme.addEventListener("click", () => {
    const next = themes[(themes.indexOf(document.documentElement.dataset.theme || "system") + 1) % themes.length];
    document.documentElement.dataset.theme = next;
    theme.querySelector("span").textContent = next;
  });
}
