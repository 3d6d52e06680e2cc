// Applies the reader's choice of light or dark before the first paint; without a choice the system decides.
try {
  const chosen = localStorage.getItem("theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
} catch { /* storage may be blocked; the system's preference then holds */ }
