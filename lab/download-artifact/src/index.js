// Stand-in for actions/download-artifact v4: same inputs, output and folders, on the same client library.
const path = require('node:path')
const core = require('@actions/core')
const {DefaultArtifactClient} = require('@actions/artifact')

/** Where to look for artifacts: this run, or another one by GitHub's API. */
function options() {
  const token = core.getInput('github-token')
  if (!token) return {}
  const [repositoryOwner, repositoryName] = core.getInput('repository').split('/')
  return {findBy: {token, workflowRunId: Number(core.getInput('run-id')), repositoryName, repositoryOwner}}
}

/** Whether a name fits a pattern in which `*` is any number of characters. */
function fits(name, pattern) {
  const escaped = pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&')
  return new RegExp(`^${escaped.replaceAll('*', '.*')}$`).test(name)
}

async function run() {
  const client = new DefaultArtifactClient()
  const where = options()
  const folder = path.resolve(core.getInput('path') || process.env.GITHUB_WORKSPACE)
  const name = core.getInput('name')
  let artifacts
  if (name) {
    artifacts = [(await client.getArtifact(name, where)).artifact]
  } else {
    const listed = (await client.listArtifacts({latest: true, ...where})).artifacts
    artifacts = listed.filter(one => fits(one.name, core.getInput('pattern') || '*'))
  }
  for (const artifact of artifacts) {
    const own = name || core.getBooleanInput('merge-multiple') ? folder : path.join(folder, artifact.name)
    await client.downloadArtifact(artifact.id, {...where, path: own})
    core.info(`Artifact ${artifact.name} is in ${own}`)
  }
  core.info(`${artifacts.length} artifact(s) downloaded`)
  core.setOutput('download-path', folder)
}

run().catch(error => core.setFailed(error instanceof Error ? error.message : String(error)))
