// Stand-in for actions/upload-artifact v4: same inputs, outputs and choice of files, on the same client library.
const path = require('node:path')
const fs = require('node:fs/promises')
const core = require('@actions/core')
const glob = require('@actions/glob')
const {DefaultArtifactClient} = require('@actions/artifact')

/** The deepest folder that holds all of `folders` (absolute paths). */
function commonFolder(folders) {
  return folders.reduce((common, folder) => {
    while (path.relative(common, folder).startsWith('..')) common = path.dirname(common)
    return common
  })
}

/** The files that `patterns` select, and the folder that their names in the artifact are relative to. */
async function select(patterns, hidden) {
  const globber = await glob.create(patterns, {implicitDescendants: true, excludeHiddenFiles: !hidden})
  const files = []
  for (const found of await globber.glob()) {
    if ((await fs.stat(found)).isFile()) files.push(found)
  }
  const roots = globber.getSearchPaths()
  if (roots.length === 1) {
    // One plain file keeps its base name only; one folder is the root itself.
    return {files, root: files.length === 1 && files[0] === roots[0] ? path.dirname(files[0]) : roots[0]}
  }
  return {files, root: commonFolder(roots.map(root => (files.includes(root) ? path.dirname(root) : root)))}
}

/** Report that nothing was found in the way that the caller asked for. */
function nothingFound(patterns, policy) {
  const message = `No files were found with the provided path: ${patterns}. No artifacts will be uploaded.`
  if (policy === 'error') core.setFailed(message)
  else if (policy === 'warn') core.warning(message)
  else if (policy === 'ignore') core.info(message)
  else core.setFailed(`if-no-files-found is "${policy}"; use warn, error or ignore`)
}

async function run() {
  const name = core.getInput('name') || 'artifact'
  const patterns = core.getInput('path', {required: true})
  const {files, root} = await select(patterns, core.getBooleanInput('include-hidden-files'))
  if (files.length === 0) return nothingFound(patterns, core.getInput('if-no-files-found'))

  const client = new DefaultArtifactClient()
  if (core.getBooleanInput('overwrite')) {
    await client.deleteArtifact(name).catch(reason => core.debug(`nothing to overwrite: ${reason.message}`))
  }
  const level = Number(core.getInput('compression-level') || 6)
  const artifact = await client.uploadArtifact(name, files, root, {compressionLevel: level})
  const repository = `${process.env.GITHUB_SERVER_URL}/${process.env.GITHUB_REPOSITORY}`
  core.setOutput('artifact-id', artifact.id)
  core.setOutput('artifact-digest', artifact.digest)
  core.setOutput('artifact-url', `${repository}/actions/runs/${process.env.GITHUB_RUN_ID}/artifacts/${artifact.id}`)
  core.info(`Artifact ${name} has ${files.length} file(s), ${artifact.size} bytes, SHA-256 ${artifact.digest}`)
}

run().catch(error => core.setFailed(error instanceof Error ? error.message : String(error)))
