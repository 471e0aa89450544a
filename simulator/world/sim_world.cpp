// The virtual world: the only file of the simulator that knows every part.
#include "simulator/world/sim_world.hpp"

#include <map>
#include <memory>
#include <utility>

#include "core/base/assert.hpp"
#include "core/runtime/shard.hpp"
#include "simulator/faults/campaign.hpp"
#include "simulator/load/audit.hpp"
#include "simulator/load/driver.hpp"
#include "simulator/load/popularity.hpp"
#include "simulator/scenario/topology.hpp"
#include "simulator/world/link_fault.hpp"
#include "simulator/world/network.hpp"
#include "simulator/world/process.hpp"
#include "simulator/world/read_database.hpp"
#include "simulator/world/sim_database.hpp"
#include "simulator/world/sim_ports.hpp"
#include "simulator/world/switch_desk.hpp"
#include "simulator/world/tape.hpp"

namespace rushproof::simulator {

namespace {

// Virtual time of the run's time zero; the stock is set before it.
constexpr Duration load_begins = std::chrono::seconds(10);
// After the load: the audit waits past the longest reservation, and then gets this long.
constexpr Duration audit_margin = std::chrono::seconds(3);
constexpr Duration audit_within = std::chrono::seconds(60);
// With a pipeline: longer than any provider waits before it delivers a message again.
constexpr Duration pipeline_rest = std::chrono::seconds(35);
constexpr std::string_view database_name = "database";
constexpr std::string_view clients_name = "clients";

class SimWorld final : public Answering, public Chaos {
public:
    SimWorld(const Scenario& scenario, const SimulatedSystem& system, const SimOptions& options,
             Tape& tape)
        : scenario_(scenario),
          system_(system),
          options_(options),
          tape_(tape),
          trace_(options.trace_first, options.trace_last),
          scheduler_(scheduler_options(scenario, options), trace_, tape),
          network_(scheduler_),
          databases_(make_databases()),
          brokers_(network_, system.broker_options),
          campaign_(options.plan, *this, outcome_.history) {}
    SimWorld(const SimWorld&) = delete;
    SimWorld& operator=(const SimWorld&) = delete;

    ~SimWorld() override {
        if (clients_) { clients_->crash(); }
        driver_.reset();
        switches_.reset();
        instances_.clear();
        // A server hears of every process that dies, also of those of other databases.
        for (const auto& database : databases_) {
            for (const auto& server : database->servers()) { server->destroy_process(); }
        }
        brokers_.destroy_processes();
    }

    SimOutcome run() {
        build();
        const Duration limit = load_begins + scenario_.duration + DriverOptions().finish_within +
                               scenario_.system.reservation_ttl + audit_margin + audit_within;
        RunEnd end = RunEnd::reached;
        while (!finished_ && scheduler_.now() < limit && end == RunEnd::reached) {
            end = scheduler_.run_until(scheduler_.now() + std::chrono::milliseconds(250));
        }
        if (!finished_) {
            outcome_.troubles.push_back("the run did not end within its time: " + waiting_text());
        }
        if (const auto misaligned = tape_.misalignment(true)) {
            outcome_.troubles.push_back(*misaligned);
        }
        if (outcome_.history.audited) {
            outcome_.disagreements = compare_with_database(outcome_.history, read_databases());
        }
        digest_state();
        outcome_.faults = campaign_.records();
        if (driver_) { outcome_.load = driver_->metrics(); }
        outcome_.trace = trace_.summary();
        outcome_.steps = scheduler_.steps();
        if (options_.record_tape) { outcome_.tape = tape_.text(); }
        return std::move(outcome_);
    }

    // Answering
    Task<Result<HttpResponse>> answer_http(Host& target, HttpRequest request) override {
        return process(target).answer_http(std::move(request));
    }
    Task<Result<std::string>> answer_rpc(Host& target, Context context, std::string_view method,
                                         std::string request) override {
        return process(target).answer_rpc(std::move(context), method, std::move(request));
    }

    // Chaos
    std::string kill(const std::string& instance) override;
    std::string terminate(const std::string& instance) override;
    std::string start(const std::string& instance) override;
    std::string pause(const std::string& instance) override;
    std::string resume(const std::string& instance) override;
    std::string trouble_links(const LinkTrouble& trouble) override;
    std::string heal_links(const std::string& id) override;
    std::string step_wall_clock(const std::string& instance, Duration by) override;
    std::string set_drift(const std::string& instance, std::int64_t ppm) override;
    std::string lose_commit_answers(const std::string& id, std::uint32_t millionths) override {
        return each_database([&](auto& each) { return each.lose_commit_answers(id, millionths); });
    }
    std::string heal_commits(const std::string& id) override {
        return each_database([&](auto& each) { return each.heal_commits(id); });
    }
    std::string terminate_backends(const std::string& name) override {
        return database_with(name).terminate_backends(name);
    }
    std::string promote(const Promotion& promotion) override {
        return database_with(promotion.target).promote(promotion);
    }
    std::string rejoin(const std::string& id) override {
        return each_database([&](auto& each) { return each.rejoin(id); });
    }
    std::string shorten_lock_waits(const std::string& id, const std::string& name,
                                   Duration timeout) override {
        return database_with(name).shorten_lock_waits(id, name, timeout);
    }
    std::string heal_lock_waits(const std::string& id) override {
        return each_database([&](auto& each) { return each.heal_lock_waits(id); });
    }
    std::string pause_replay(const std::string& name) override {
        return DatabaseCluster::pause_replay(*server(name));
    }
    std::string resume_replay(const std::string& name) override {
        return DatabaseCluster::resume_replay(*server(name));
    }
    std::string trouble_disk(const DiskTrouble& trouble) override {
        return database_with(trouble.server).trouble_disk(trouble);
    }
    std::string heal_disk(const std::string& id) override {
        return each_database([&](auto& each) { return each.heal_disk(id); });
    }
    std::string trouble_broker(const BrokerTrouble& trouble) override {
        return Brokers::trouble(*brokers_.find(trouble.broker), trouble);
    }
    std::string heal_broker(const BrokerTrouble& trouble) override {
        return Brokers::heal(*brokers_.find(trouble.broker), trouble);
    }
    std::string switch_queue(const SwitchOrder& order) override {
        switches_->begin(order);
        return {};
    }
    std::string end_switch(const std::string& id) override { return switches_->evidence(id); }

private:
    struct Instance {
        Machine* machine = nullptr;
        DatabaseCluster* database = nullptr;
        Process::MakeService make;
        std::unique_ptr<Process> process;  // none while it is down
        bool start_when_ended = false;
    };

    static SchedulerOptions scheduler_options(const Scenario& scenario, const SimOptions& options) {
        SchedulerOptions result;
        result.seed = options.seed;
        result.schedule = scenario.schedule;
        result.depth = scenario.schedule_depth;
        return result;
    }

    Machine& add_machine(const std::string& name);
    using Databases = std::vector<std::unique_ptr<DatabaseCluster>>;  // by shard
    Databases make_databases();
    DatabaseContents read_databases();
    // The one that has a server of that name; a name that is no server's means the first.
    DatabaseCluster& database_with(std::string_view name) const;
    DatabaseServer* server(std::string_view name) const { return database_with(name).find(name); }
    // The evidence of all databases.
    template <class Act>
    std::string each_database(Act act) {
        std::string evidence;
        for (const auto& database : databases_) {
            const std::string seen = act(*database);
            if (!seen.empty()) { evidence += (evidence.empty() ? "" : "; ") + seen; }
        }
        return evidence;
    }
    void build();
    void add_instances(const SimulatedRole& role);
    void start_process(Instance& instance);
    void plan_faults_at_times();
    void plan_faults_at_points();
    void strike(std::size_t fault);
    Task<void> run_clients();
    AuditOptions audit_options();
    std::optional<std::int64_t> commit_time(std::uint32_t shard, std::int64_t number);
    void observe(const Event& event);
    void note_switch(const QueueSwitch& change);
    void digest_state();
    std::string waiting_text() const;

    Process& process(Host& host) {
        const Instance* instance = instance_on_.at(host.machine().index());
        RP_ASSERT(instance != nullptr && instance->process && &instance->process->host() == &host);
        return *instance->process;
    }
    Host* host_of(const std::string& name);
    std::uint32_t shards() const { return static_cast<std::uint32_t>(scenario_.system.shards); }
    // What the database of a shard has in the end.
    const ModelDatabase& tables(std::uint32_t shard) const {
        return databases_.at(shard - 1)->primary().model();
    }
    std::int64_t run_time() const { return (scheduler_.now() - load_begins).count(); }
    void trace_fault(const std::string& target, std::string_view what) {
        trace_.add(scheduler_.now().count(), target, what, 0, 0);
    }

    const Scenario& scenario_;
    const SimulatedSystem& system_;
    const SimOptions& options_;
    Tape& tape_;
    SimOutcome outcome_;
    Trace trace_;
    Scheduler scheduler_;
    Network network_;
    FaultPoints points_;
    Databases databases_;
    Brokers brokers_;
    std::map<std::string, Instance> instances_;
    std::vector<Instance*> instance_on_;  // by machine; null where no instance lives
    Campaign campaign_;
    std::unique_ptr<Host> clients_;
    std::unique_ptr<SimHttpClient> http_;
    std::unique_ptr<SwitchDesk> switches_;
    std::unique_ptr<Recorder> recorder_;
    std::unique_ptr<Driver> driver_;
    // By shard and number in its ledger.
    std::map<std::pair<std::uint32_t, std::int64_t>, std::int64_t> commit_times_;
    bool finished_ = false;
};

Machine& SimWorld::add_machine(const std::string& name) {
    MachineOptions options;
    const Duration skew = scenario_.system.clock_skew_max;
    if (skew > Duration::zero() && name != clients_name) {
        // All servers of databases keep the same time.
        const bool keeps_data = name.starts_with(database_name) || name.starts_with("replica/");
        RandomStream draws =
            keyed_stream(options_.seed, "clock", hash64(keeps_data ? database_name : name));
        options.wall_offset = draws.between(-skew, skew);
    }
    // The load generator is not what a run is about: its CPU time is nearly free.
    if (name == clients_name) { options.step_cost = Duration(1); }
    return scheduler_.add_machine(name, options);
}

// Only a database of one shard has standbys.
SimWorld::Databases SimWorld::make_databases() {
    std::vector<std::vector<Machine*>> machines(shards());
    std::size_t next = 0;
    for (const std::string& name : database_servers(scenario_)) {
        machines[next++ % machines.size()].push_back(&add_machine(name));
    }
    Databases databases;
    for (const std::vector<Machine*>& of_shard : machines) {
        databases.push_back(std::make_unique<DatabaseCluster>(network_, of_shard, system_.schema,
                                                              scenario_.system));
    }
    return databases;
}

DatabaseCluster& SimWorld::database_with(std::string_view name) const {
    for (const auto& database : databases_) {
        if (database->find(name) != nullptr) { return *database; }
    }
    return *databases_.front();
}

DatabaseContents SimWorld::read_databases() {
    std::vector<DatabaseContents> contents;
    for (std::uint32_t shard = 1; shard <= shards(); ++shard) {
        contents.push_back(read_database(system_.schema, tables(shard)));
    }
    return merge_shards(std::move(contents));
}

void SimWorld::build() {
    for (const std::string& name : brokers(scenario_)) { brokers_.add(add_machine(name)); }
    for (const std::string& name : system_.brokers) { brokers_.add(add_machine(name)); }
    for (const SimulatedRole& role : system_.roles) { add_instances(role); }
    clients_ = std::make_unique<Host>(add_machine(std::string(clients_name)));
    std::vector<Machine*> entries;
    for (auto& [name, instance] : instances_) {
        if (name.starts_with(system_.entry + "/")) { entries.push_back(instance.machine); }
    }
    http_ = std::make_unique<SimHttpClient>(*clients_, network_, *this, std::move(entries));
    switches_ = std::make_unique<SwitchDesk>(
        *clients_, *http_, outcome_.history, MonotonicTime(load_begins),
        [this](const QueueSwitch& change) { note_switch(change); });
    plan_faults_at_times();
    plan_faults_at_points();
    clients_->spawn("run", run_clients());
}

void SimWorld::add_instances(const SimulatedRole& role) {
    for (std::int64_t i = 0; i < role.instances; ++i) {
        const std::string name = role.name + "/" + std::to_string(i);
        Instance& instance = instances_[name];
        instance.machine = &add_machine(name);
        instance.database = databases_[static_cast<std::size_t>(i) % databases_.size()].get();
        instance_on_.resize(scheduler_.machines().size());
        instance_on_[instance.machine->index()] = &instance;
        instance.make = [&role, i](Environment& world) { return role.make(world, i); };
        start_process(instance);
    }
}

void SimWorld::start_process(Instance& instance) {
    instance.start_when_ended = false;
    instance.process = std::make_unique<Process>(
        *instance.machine,
        Process::Parts{network_, *this, *instance.database, brokers_, points_, shards()},
        instance.make, scenario_.system.request_timeout);
}

void SimWorld::plan_faults_at_times() {
    for (const auto& moment : campaign_.moments()) {
        scheduler_.at(load_begins + moment.at, [this, moment] {
            if (moment.begins) {
                strike(moment.fault);
            } else {
                campaign_.end(moment.fault, run_time());
            }
        });
    }
}

void SimWorld::plan_faults_at_points() {
    for (std::size_t i = 0; i < campaign_.plan().size(); ++i) {
        const auto& point = campaign_.plan()[i].at_point;
        if (!point) { continue; }
        points_.add(point->name, point->nth, [this, i](const std::string& instance) {
            campaign_.aim(i, instance);
            scheduler_.between_steps([this, i] { strike(i); });
            scheduler_.at(scheduler_.now() + campaign_.length(i) + Duration(1),
                          [this, i] { campaign_.end(i, run_time()); });
        });
    }
}

void SimWorld::strike(std::size_t fault) {
    trace_fault(campaign_.plan()[fault].fault.target,
                to_string(campaign_.plan()[fault].fault.kind));
    campaign_.begin(fault, run_time());
}

Task<void> SimWorld::run_clients() {
    Clock& clock = clients_->clock();
    const MonotonicTime start = MonotonicTime(load_begins);
    History& history = outcome_.history;
    history.scenario = scenario_.title;
    history.seed = options_.seed;
    history.world = "sim";
    history.reservation_ttl = scenario_.system.reservation_ttl.count();
    const auto stock = initial_stock(scenario_.stock, options_.seed);
    for (const auto& [sku, units] : stock) {
        history.initial_stock.emplace_back(history.texts.intern(sku), units);
    }
    const auto stocked = co_await set_initial_stock(clock, *http_, stock, start);
    if (!stocked) {
        outcome_.troubles.push_back("the stock could not be set: " + stocked.error().message());
        finished_ = true;
        co_return;
    }
    co_await sleep_until(clock, start);

    recorder_ = std::make_unique<Recorder>(history, 0, 1, [this](const Event& e) { observe(e); });
    DriverOptions options;
    options.seed = options_.seed;
    options.start = start;
    driver_ = std::make_unique<Driver>(scenario_, options,
                                       ClientWorld{clock, clients_->spawner(), *http_}, *recorder_);
    co_await driver_->run();

    scheduler_.between_steps([this] {
        campaign_.heal_all(run_time());
        for (auto& [name, instance] : instances_) { this->start(name); }
        for (const auto& database : databases_) {
            for (const auto& server : database->servers()) { database->start(*server); }
        }
        for (BrokerServer* broker : brokers_.all()) { Brokers::start(*broker); }
    });
    co_await sleep_for(clock, Duration(1));
    co_await switches_->join();
    AuditOptions audit = audit_options();
    const auto audited = co_await simulator::audit(clock, *http_, std::move(audit), history);
    if (!audited) { outcome_.troubles.push_back("the audit failed: " + audited.error().message()); }
    finished_ = true;
}

AuditOptions SimWorld::audit_options() {
    AuditOptions audit;
    for (const auto& [sku, units] : outcome_.history.initial_stock) {
        audit.skus.push_back(outcome_.history.texts.text(sku));
    }
    const MonotonicTime now = clients_->clock().monotonic();
    audit.start = MonotonicTime(load_begins);
    audit.wall_start = databases_.front()->primary().machine().clock().wall(load_begins);
    audit.quiet_from =
        now + scenario_.system.reservation_ttl + scenario_.system.sweep_interval + audit_margin;
    audit.deadline = audit.quiet_from + audit_within;
    audit.pipeline = !scenario_.system.queue.empty();
    audit.pipeline_rest = pipeline_rest;
    audit.parts = scenario_.system.queue_options.providers;
    audit.commit_time = [this](std::string_view sku, std::int64_t number) {
        return commit_time(shard_of_key(sku, shards()), number);
    };
    return audit;
}

// The first column of the ledger is its number.
std::optional<std::int64_t> SimWorld::commit_time(std::uint32_t shard, std::int64_t number) {
    if (!commit_times_.contains({shard, number})) {
        tables(shard).visit_committed("ledger", [&](const Row& row, Duration committed_at) {
            commit_times_.insert_or_assign({shard, integer(row, 0)},
                                           (committed_at - load_begins).count());
        });
    }
    const auto found = commit_times_.find({shard, number});
    if (found == commit_times_.end()) { return std::nullopt; }
    return found->second;
}

void SimWorld::observe(const Event& event) {
    const History& history = outcome_.history;
    std::uint64_t payload =
        combine64(static_cast<std::uint64_t>(event.type), static_cast<std::uint64_t>(event.amount));
    payload = combine64(payload, static_cast<std::uint64_t>(event.failure));
    if (event.subject != no_text) {
        payload = combine64(payload, hash64(history.texts.text(event.subject)));
    }
    if (event.key != no_text) {
        payload = combine64(payload, hash64(history.texts.text(event.key)));
    }
    if (event.basket != 0) {
        for (const BasketLine& line : history.baskets[event.basket - 1]) {
            payload = combine64(payload, hash64(history.texts.text(line.key)));
            payload = combine64(payload, static_cast<std::uint64_t>(line.quantity));
        }
    }
    trace_.add(scheduler_.now().count(), clients_name, to_string(event.function), event.process,
               payload);
}

void SimWorld::note_switch(const QueueSwitch& change) {
    const auto outcome = static_cast<std::uint64_t>(change.outcome);
    const std::uint64_t payload = combine64(combine64(hash64(change.to), outcome),
                                            static_cast<std::uint64_t>(change.carried_over));
    trace_.add(scheduler_.now().count(), clients_name, "switched", 0, payload);
    scheduler_.between_steps([this, id = change.id] { campaign_.end(id, run_time()); });
}

void SimWorld::digest_state() {
    for (std::uint32_t shard = 1; shard <= shards(); ++shard) {
        for (const ModelTable& table : system_.schema.tables) {
            std::uint64_t contents = 0;
            tables(shard).visit_committed(table.name, [&](const Row& row, Duration) {
                contents = combine64(contents, hash_row(row));
            });
            trace_.add(scheduler_.now().count(), database_name, table.name, 0, contents);
        }
    }
}

std::string SimWorld::waiting_text() const {
    std::string text;
    for (const auto& line : scheduler_.waiting()) {
        if (text.size() > 500) { return text + "; ..."; }
        text += (text.empty() ? "" : "; ") + line;
    }
    return text.empty() ? "nobody waits" : text;
}

Host* SimWorld::host_of(const std::string& name) {
    Machine* machine = scheduler_.find(name);
    return machine == nullptr ? nullptr : machine->host();
}

std::string SimWorld::kill(const std::string& name) {
    if (DatabaseServer* found = server(name)) { return DatabaseCluster::kill(*found); }
    if (BrokerServer* broker = brokers_.find(name)) { return Brokers::kill(*broker); }
    Host* host = host_of(name);
    if (host == nullptr || !host->alive()) { return {}; }
    Instance& instance = instances_.at(name);
    const std::string evidence = "process " + std::to_string(host->incarnation()) + " died with " +
                                 std::to_string(instance.process->serving()) +
                                 " requests under way";
    instance.process.reset();
    return evidence;
}

std::string SimWorld::terminate(const std::string& name) {
    if (DatabaseServer* found = server(name)) { return database_with(name).terminate(*found); }
    if (BrokerServer* broker = brokers_.find(name)) { return Brokers::terminate(*broker); }
    Host* host = host_of(name);
    if (host == nullptr || !host->alive()) { return {}; }
    Instance& instance = instances_.at(name);
    if (instance.process->draining()) { return {}; }
    instance.process->drain([this, &instance, incarnation = host->incarnation()] {
        if (!instance.process || instance.process->host().incarnation() != incarnation) { return; }
        instance.process.reset();
        if (instance.start_when_ended) { start_process(instance); }
    });
    return "process " + std::to_string(host->incarnation()) + " was asked to end with " +
           std::to_string(instance.process->serving()) + " requests under way";
}

std::string SimWorld::start(const std::string& name) {
    if (DatabaseServer* found = server(name)) { return database_with(name).start(*found); }
    if (BrokerServer* broker = brokers_.find(name)) { return Brokers::start(*broker); }
    Instance& instance = instances_.at(name);
    if (instance.process) {
        if (!instance.process->draining()) { return {}; }
        instance.start_when_ended = true;
        return "starts when it has drained";
    }
    start_process(instance);
    return "process " + std::to_string(instance.process->host().incarnation()) + " started";
}

std::string SimWorld::pause(const std::string& name) {
    Host* host = host_of(name);
    if (host == nullptr || !host->alive() || host->paused()) { return {}; }
    host->pause();
    return "frozen";
}

std::string SimWorld::resume(const std::string& name) {
    Host* host = host_of(name);
    if (host == nullptr || !host->alive() || !host->paused()) { return {}; }
    host->resume();
    return "running again";
}

std::string SimWorld::trouble_links(const LinkTrouble& trouble) {
    network_.inject(link_fault_of(trouble, scheduler_));
    return {};
}

std::string SimWorld::heal_links(const std::string& id) {
    const std::uint64_t touched = network_.lift(id);
    return touched == 0 ? std::string() : std::to_string(touched) + " messages held up";
}

std::string SimWorld::step_wall_clock(const std::string& name, Duration by) {
    Machine* machine = scheduler_.find(name);
    if (machine == nullptr) { return {}; }
    machine->step_wall_clock(by);
    const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(by).count();
    return "wall clock stepped by " + std::to_string(milliseconds) + " ms";
}

std::string SimWorld::set_drift(const std::string& name, std::int64_t ppm) {
    Machine* machine = scheduler_.find(name);
    if (machine == nullptr) { return {}; }
    machine->set_drift(ppm);
    return "clocks drift by " + std::to_string(ppm) + " ppm";
}

}  // namespace

SimOutcome run_simulation(const Scenario& scenario, const SimulatedSystem& system,
                          const SimOptions& options) {
    Tape tape = options.record_tape ? Tape::recording() : Tape();
    if (!options.replay_tape.empty()) {
        auto parsed = Tape::parse(options.replay_tape);
        if (!parsed) {
            SimOutcome outcome;
            outcome.troubles.push_back(parsed.error().message());
            return outcome;
        }
        tape = std::move(*parsed);
    }
    return SimWorld(scenario, system, options, tape).run();
}

}  // namespace rushproof::simulator
