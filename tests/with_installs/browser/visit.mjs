// An end-user in a real browser: opens a page of Assure's, presses a button, and lands on the caller's page.
//
//   node visit.mjs <address> <text of the button> <folder for screenshots> <name>
//
// Prints as JSON where they landed, what that page could know of where they came from, and the errors of all
// pages. The caller's page is served here, so that no name on the internet is needed.
import { mkdir, readFile } from 'node:fs/promises';
import { chromium } from 'playwright-core';

const [address, button, folder, name] = process.argv.slice(2);
const CALLER = 'https://app.acme.example/';
const PAGE = `<!doctype html><html lang="en"><title>Acme</title>
<body style="font-family: sans-serif; margin: 4rem"><h1>Welcome back</h1><p>Acme is looking at your verification.</p>
<pre id="address"></pre><script>document.getElementById('address').textContent = location.search + location.hash</script>`;

const where = new URL('./chromium-path', import.meta.url);
const browser = await chromium.launch({
  executablePath: (await readFile(where, 'utf8')).trim(),
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking',
    '--disable-component-update', '--disable-sync', '--no-first-run'],
});
try {
  await mkdir(folder, { recursive: true });
  const page = await browser.newPage({ viewport: { width: 800, height: 900 } });
  const errors = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  let referrer = null;
  await page.route(`${CALLER}**`, (route) => {
    if (route.request().isNavigationRequest()) referrer = route.request().headers().referer ?? '';
    return route.fulfill({ contentType: 'text/html', body: PAGE });
  });
  await page.goto(address);
  const title = await page.title();
  await page.screenshot({ path: `${folder}/${name}-1-assure.png` });
  await page.getByRole('button', { name: button, exact: true }).click();
  await page.waitForURL(`${CALLER}**`);
  await page.screenshot({ path: `${folder}/${name}-2-caller.png` });
  console.log(JSON.stringify({ title, landed: page.url(), referrer, errors }));
} finally {
  await browser.close();
}
